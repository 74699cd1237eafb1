// All kernels for one kind of processor: compiled once for each, as VARIANT.
#include "gru.h"
#include "lstm.h"

namespace dragoman {

extern const Kernels VARIANT;
const Kernels VARIANT{lstmForward, lstmBackward, gruForward, gruBackward};

}  // namespace dragoman
