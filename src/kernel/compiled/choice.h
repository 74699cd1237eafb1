// The kernels that are used, of those that were compiled.
#pragma once
#include <string>

#include "layers.h"

namespace dragoman {

struct Choice {
  /** What the kernels were compiled for. */
  std::string processor;
  const Kernels* kernels;
  const StepKernels* steps;
};

/** At first those for products in 32 bits. */
const Choice& chosen();

/**
 * The best ones for the processor that this runs on; false, with nothing changed, where there are none.
 * @param products `float32`; `bfloat16`, of rounded factors; `int8`, decoder steps in 8 bits and all else in 32
 */
bool choose(const std::string& products);

}  // namespace dragoman
