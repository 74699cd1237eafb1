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

/** Kinds of processor, each with what those before it have. */
enum Level { BASELINE, AVX2, AVX512, AMX };

/**
 * The best ones for the processor that this runs on; false, with nothing changed, where there are none.
 * @param products `float32`; `bfloat16`, of rounded factors; `int8`, decoding in 8 bits and all else in 32
 * @param most the highest level that is wanted
 */
bool choose(const std::string& products, int most);

}  // namespace dragoman
