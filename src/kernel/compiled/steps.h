// What the kernels of decoder steps take, for one sentence or for hundreds of hypotheses: weights are packed once for all
// steps.
#pragma once
#include <cstdint>
#include <vector>

namespace dragoman {

/** A matrix [depth, groups * columns] to be packed: it may be some columns of a wider one. */
struct Packing {
  long depth;
  long groups;
  long columns;
  const float* matrix;
  /** From row to row; of a matrix that is given transposed, [groups * columns, depth], from column to column. */
  long stride;
  bool transposed;
  float* panels;
};

/** A packed matrix, and what is added to the product. */
struct Affine {
  const float* panels;
  const float* bias;
};

/** Columns of a joined matrix. */
struct Columns {
  const float* from;
  long width;
  /** The row of `from` that stands in each row; null where it is the same. */
  const int32_t* rows;
};

/** Columns side by side. */
struct Joining {
  long rows;
  std::vector<Columns> parts;
  float* joined;  // [rows, the sum of their widths]
};

/** f(x W + b), f being tanh or nothing. */
struct LinearStep {
  long rows;
  long depth;
  long columns;
  bool tanh;
  const float* x;  // [rows, depth]
  Affine weights;
  float* y;  // [rows, columns]
};

/** What a recurrent layer multiplies with: every matrix is that of the input above that of the state. */
struct CellWeights {
  Affine gates;      // an LSTM's i, g, f, o; a GRU's r and z
  Affine candidate;  // a GRU's n
};

/**
 * One direction of a recurrent layer over whole sentences, for decoding and scoring: nothing of what a gradient would need is kept. Row b
 * has lengths[b] real positions, and the padded ones come last.
 */
struct EncoderLayer {
  bool isGru;
  bool backward;  // from each row's last real position to its first
  long batch;
  long time;
  long input;
  long hidden;
  const int32_t* lengths;
  const float* x;    // [batch, time, input]
  CellWeights weights;
  const float* h0;  // [batch, hidden]; null for zeros
  const float* c0;  // an LSTM's, null for zeros
  /** From position to position of the outputs, and from row to row of the last ones: both directions stand side by side. */
  long stride;
  float* outputs;  // [batch, time, stride]; those of padded positions stay as they are
  float* last;     // [batch, stride] the outputs read last; of a row without positions it stays as it is
};

/** A recurrent layer of a decoder. */
struct StepLayer {
  bool isGru;
  long hidden;
  CellWeights weights;
  const float* h;    // [rows before, hidden]
  const float* c;    // null for a GRU
  float* hAfter;     // [rows, hidden]
  float* cAfter;
};

enum class Scoring : int32_t { none = 0, product = 1, additive = 2 };

struct StepAttention {
  Scoring scoring;
  const int32_t* sources;  // which of the batch's each row attends to
  long batch;
  long length;
  long query;
  long memorySize;
  const float* keys;    // [batch, length, query]
  const float* memory;  // [batch, length, memorySize]
  const float* bias;    // [batch, length]
  Affine projection;    // of the state, for additive scores
  const float* vector;  // [query], for them too
  float* weights;       // [rows, length]
};

/** A whole step, from the last tokens to the logits: src/model/decoder.ts. */
struct DecoderStep {
  long rows;
  const int32_t* previous;  // the last token of each row
  const int32_t* parents;   // the row of the state that each continues
  long embedding;
  const float* table;  // [vocabulary, embedding]
  long summarySize;
  const float* summary;      // [any, summarySize], for every step; null for none
  const int32_t* summaries;  // the row of them that is each row's
  const float* fed;      // o before [rows before, output], with input feeding; null without
  float* fedAfter;
  std::vector<StepLayer> layers;
  StepAttention attention;
  long output;
  Affine readout;
  long vocabulary;
  Affine logitsWeights;
  float* logits;  // [rows, vocabulary]
};

/** ln softmax(x W + b) of each row's label. */
struct PackedScores {
  long rows;
  long depth;
  long columns;
  const float* x;  // [rows, depth]
  Affine weights;
  const int32_t* labels;  // [rows]
  float* scores;          // [rows]
};

/** Attention of any rows, each to its own source. */
struct Attending {
  long rows;
  StepAttention attention;
  const float* queries;  // [rows, query]
  float* contexts;       // [rows, memorySize]
};

struct StepKernels {
  /** Floats that the packed form of a matrix takes. */
  long (*packedSize)(long depth, long groups, long columns);
  void (*packPanels)(const Packing&);
  void (*joinRows)(const Joining&);
  void (*linearStep)(const LinearStep&);
  void (*encoderLayer)(const EncoderLayer&);
  void (*decoderStep)(const DecoderStep&);
  void (*attend)(const Attending&);
  void (*packedScores)(const PackedScores&);
};

struct BestStep {
  long rows;
  long columns;
  long k;
  const float* logits;
  int32_t* ids;        // [rows, k]
  float* values;       // [rows, k]
  float* normalisers;  // [rows]
};

}  // namespace dragoman
