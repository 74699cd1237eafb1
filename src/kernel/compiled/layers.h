// What the kernels of whole layers take, and the table of those that are compiled for one kind of processor.
#pragma once
#include <cstdint>

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

/** Gradients of a layer's input and weights, in the same shapes. */
struct LayerGradients {
  float* dx;
  float* dKernel;
  float* dRecurrent;
  float* dBias;
};

/** Long short-term memory, the equations of src/cell/lstm.ts; columns of gates in the order i, g, f, o. */
struct LstmForward {
  Layer layer;
  LayerWeights weights;
  const float* x;   // [time, batch, input]
  const float* h0;  // [batch, hidden]
  const float* c0;
  float* gates;   // after their functions [time, batch, 4 hidden]
  float* cells;   // [time, batch, hidden]
  float* states;  // [time, batch, hidden], zero at padded steps
  float* hEnd;    // after each row's last real step [batch, hidden]; null if nobody wants them
  float* cEnd;
};

struct LstmBackward {
  Layer layer;
  LayerWeights weights;
  const float* x;
  const float* h0;
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
struct GruForward {
  Layer layer;
  LayerWeights weights;
  const float* x;
  const float* h0;
  float* gates;   // after their functions [time, batch, 3 hidden]
  float* states;  // [time, batch, hidden], zero at padded steps
  float* hEnd;    // null if nobody wants it
};

struct GruBackward {
  Layer layer;
  LayerWeights weights;
  const float* x;
  const float* h0;
  const float* gates;
  const float* states;
  const float* dStates;
  const float* dhEnd;  // null for none
  LayerGradients gradients;
  float* dh0;
};

struct Kernels {
  void (*lstmForward)(const LstmForward&);
  void (*lstmBackward)(const LstmBackward&);
  void (*gruForward)(const GruForward&);
  void (*gruBackward)(const GruBackward&);
};

}  // namespace dragoman
