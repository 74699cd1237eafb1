// The kernels of decoding with products in 8 bits for one kind of processor: compiled once for each, as VARIANT.
#define DRAGOMAN_INT8
#include "decoder-step.h"
#include "encoder-layer.h"
#include "packed-scores.h"

namespace dragoman {

extern const StepKernels VARIANT;
const StepKernels VARIANT{packedSize, packPanels, joinRows, linearStep, encoderLayer, decoderStep, attend, packedScores};

}  // namespace dragoman
