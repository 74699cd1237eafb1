// What the kernels take, and the table of those that are compiled for one kind of processor.
#pragma once
#include <cstdint>

#include "steps.h"

namespace dragoman {

/** Shapes of a layer over a padded batch: row b has lengths[b] real steps, and the padded ones come last. */
struct Layer {
  long time;
  long batch;
  long input;
  long hidden;
  /** Each row is read from its last real step to its first. */
  bool backward;
  const int32_t* lengths;
};

/** Weights of a layer whose steps have this many gates. */
struct LayerWeights {
  const float* kernel;     // [input, gates * hidden]
  const float* recurrent;  // [hidden, gates * hidden]
  const float* bias;       // [gates * hidden]
};

/** What every layer takes, forward and backward. */
struct LayerInputs {
  Layer layer;
  LayerWeights weights;
  const float* x;   // [time, batch, input]
  const float* h0;  // [batch, hidden]
};

/** Gradients of a layer's input and weights, in the same shapes. */
struct LayerGradients {
  float* dx;
  float* dKernel;
  float* dRecurrent;
  float* dBias;
};

/** Long short-term memory, the equations of src/cell/lstm.ts; columns of gates in the order i, g, f, o. */
struct LstmForward : LayerInputs {
  const float* c0;  // [batch, hidden]
  float* gates;   // after their functions [time, batch, 4 hidden]
  float* cells;   // [time, batch, hidden]
  float* states;  // [time, batch, hidden], zero at padded steps
  float* hEnd;    // after each row's last real step [batch, hidden]; null if nobody wants them
  float* cEnd;
};

struct LstmBackward : LayerInputs {
  const float* c0;
  const float* gates;
  const float* cells;
  const float* states;
  const float* dStates;  // gradients of the outputs [time, batch, hidden]
  const float* dhEnd;    // of the final states; null for none
  const float* dcEnd;
  LayerGradients gradients;
  float* dh0;
  float* dc0;
};

/** Gated recurrent unit, the equations of src/cell/gru.ts; columns of gates in the order r, z, n. */
struct GruForward : LayerInputs {
  float* gates;   // after their functions [time, batch, 3 hidden]
  float* states;  // [time, batch, hidden], zero at padded steps
  float* hEnd;    // null if nobody wants it
};

struct GruBackward : LayerInputs {
  const float* gates;
  const float* states;
  const float* dStates;
  const float* dhEnd;  // null for none
  LayerGradients gradients;
  float* dh0;
};

/** Output layer o V + b and what the softmax of its rows says of their labels. */
struct MeanLoss {
  long rows;
  long size;
  long columns;
  /** Whether the matrix is V' [columns, size]. */
  bool transposed;
  float smoothing;
  const float* o;         // [rows, size]
  const float* matrix;    // [size, columns]
  const float* bias;      // [columns]
  const int32_t* labels;  // [rows], each in [0, columns)
  float* losses;          // the mean loss, and the sum of ln p(label) [2]
  float* dO;              // gradients of the mean loss
  float* dMatrix;
  float* dBias;
};

struct LabelScores {
  long rows;
  long columns;
  const float* products;  // logits before their bias [rows, columns]
  const float* bias;      // [columns]
  const int32_t* labels;  // [rows], each in [0, columns)
  float* scores;  // [rows]
};

struct Dropout {
  long size;
  int32_t seed;
  int32_t stream;
  float rate;
  const float* x;
  float* y;
};

struct SumOfSquares {
  long size;
  const float* x;
  float* sum;
};

/** A parameter, before and after, and its moments, which are changed in their place. */
struct Adam {
  long size;
  float rate;
  float beta1;
  float beta2;
  float epsilon;
  const float* x;
  float* m;
  float* v;
  const float* gradient;
  float* xAfter;
};

struct SegmentSum {
  long rows;
  long width;
  long segments;
  const float* values;  // [rows, width]
  const int32_t* ids;   // [rows]; a row of any other segment counts nowhere
  float* sums;          // [segments, width]
};

struct Kernels {
  StepKernels steps;
  void (*bestStep)(const BestStep&);
  void (*meanLoss)(const MeanLoss&);
  void (*labelScores)(const LabelScores&);
  void (*lstmForward)(const LstmForward&);
  void (*lstmBackward)(const LstmBackward&);
  void (*gruForward)(const GruForward&);
  void (*gruBackward)(const GruBackward&);
  void (*dropout)(const Dropout&);
  void (*sumOfSquares)(const SumOfSquares&);
  void (*adam)(const Adam&);
  void (*segmentSum)(const SegmentSum&);
};

}  // namespace dragoman
