// The operations that are added to TensorFlow.
#pragma once
#include <string>

namespace dragoman {

/** Registers all of them, once a process, however many of Node's workers load the addon. What went wrong, empty if nothing. */
const std::string& whyNoOperations();

}  // namespace dragoman
