// All kernels for one kind of processor: compiled once for each, as VARIANT.
#include "best-step.h"
#include "decoder-step.h"
#include "encoder-layer.h"
#include "gru.h"
#include "loss.h"
#include "lstm.h"
#include "packed-scores.h"
#include "training.h"

namespace dragoman {

extern const Kernels VARIANT;
const Kernels VARIANT{{packedSize, packPanels, joinRows, linearStep, encoderLayer, decoderStep, attend, packedScores},
                      bestStep,
                      meanLoss,
                      labelScores,
                      lstmForward,
                      lstmBackward,
                      gruForward,
                      gruBackward,
                      dropout,
                      sumOfSquares,
                      adam,
                      segmentSum};

}  // namespace dragoman
