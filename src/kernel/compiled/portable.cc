// All kernels for WebAssembly, and what JavaScript calls: src/engine/portable-kernels.ts.
#define VARIANT portableKernels
#include "variant.cc"

#include "bodies.h"
#include "portable-call.h"

namespace dragoman {

const Choice& chosen() {
  static const Choice choice{"simd128", &portableKernels, &portableKernels.steps};
  return choice;
}

namespace {

/** What went wrong last. */
std::string problem;

/** @returns null, or what went wrong */
template <void (*body)(const Options&, PortableCall&)>
const char* run(int backward, int ends, Place* places, int inputs) {
  PortableCall call(places, inputs);
  body({backward != 0, ends != 0}, call);
  if (call.fine()) return nullptr;
  problem = call.problem();
  return problem.c_str();
}

}  // namespace
}  // namespace dragoman

#define EXPORTED(name) extern "C" __attribute__((export_name(name)))
#define OPERATION(name, body)                                                                                  \
  EXPORTED(#name) const char* name(int backward, int ends, dragoman::Place* places, int inputs) {               \
    return dragoman::run<dragoman::body<dragoman::PortableCall>>(backward, ends, places, inputs);               \
  }

OPERATION(DragomanLstm, lstm)
OPERATION(DragomanLstmGradient, lstmGradient)
OPERATION(DragomanGru, gru)
OPERATION(DragomanGruGradient, gruGradient)
OPERATION(DragomanMeanLoss, meanLossOperation)
OPERATION(DragomanLabelScores, labelScoresOperation)
OPERATION(DragomanBestStep, bestOperation)
OPERATION(DragomanDropout, dropoutOperation)
OPERATION(DragomanSumOfSquares, sumOfSquaresOperation)
OPERATION(DragomanAdam, adamOperation)
OPERATION(DragomanSegmentSum, segmentSumOperation)

EXPORTED("allocate") void* allocate(int bytes) { return dragoman::allocate(bytes); }
EXPORTED("release") void release(void* memory) { std::free(memory); }
