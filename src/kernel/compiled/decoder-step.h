// A whole decoder step in one call.
#pragma once
#include "attention-step.h"
#include "columns.h"
#include "lstm-cell.h"
#include "step-products.h"

namespace dragoman {
namespace {

/** The sizes that a step's memory follows from. */
struct StepSizes {
  explicit StepSizes(const DecoderStep& in) {
    long input = in.embedding + (in.summary == nullptr ? 0 : in.summarySize) + (in.fed == nullptr ? 0 : in.output);
    for (const StepLayer& layer : in.layers) {
      depth = std::max(depth, input + layer.hidden);
      hidden = std::max(hidden, layer.hidden);
      input = layer.hidden;
    }
    depth = std::max(depth, input + std::max(in.embedding + in.summarySize, in.attention.memorySize));
    depth = std::max(depth, in.output);
  }

  long depth = 0;
  long hidden = 0;
};

/** One LSTM layer. @param x input and state side by side [rows, depth] */
inline void lstmLayer(const DecoderStep& in, const StepLayer& layer, const StepProducts& products, const float* x,
                      long depth) {
  const long hidden = layer.hidden;
  products.run(in.rows, x, depth, layer.weights.gates.panels, 4, hidden, [&](long p, const float* z) {
    for (long b = 0; b < in.rows; b++) {
      const long before = in.parents[b] * hidden;
      eachVector(p, hidden, [&](long offset, long unit, long count) {
        const auto sum = [&](int gate) {
          return load(z + (gate * in.rows + b) * PANEL + offset) + load(layer.weights.gates.bias + gate * hidden + unit, count);
        };
        const LstmCell cell(sum, load(layer.c + before + unit, count));
        store(layer.cAfter + b * hidden + unit, cell.c, count);
        store(layer.hAfter + b * hidden + unit, cell.h, count);
      });
    }
  });
}

/** One GRU layer (src/cell/gru.ts). @param x as for an LSTM; becomes input and r h; @param update memory for z [rows, hidden] */
inline void gruLayer(const DecoderStep& in, const StepLayer& layer, const StepProducts& products, float* x, long depth,
                     float* update) {
  const long hidden = layer.hidden;
  const auto each = [&](long p, const float* z, const auto& work) {
    for (long b = 0; b < in.rows; b++) {
      const long before = in.parents[b] * hidden;
      eachVector(p, hidden, [&](long offset, long unit, long count) {
        work(z + b * PANEL + offset, load(layer.h + before + unit, count), b, unit, count);
      });
    }
  };
  products.run(in.rows, x, depth, layer.weights.gates.panels, 2, hidden, [&](long p, const float* sums) {
    each(p, sums, [&](const float* z, V h, long b, long unit, long count) {
      const V r = sigmoid(load(z) + load(layer.weights.gates.bias + unit, count));
      store(x + b * depth + depth - hidden + unit, r * h, count);
      store(update + b * hidden + unit, sigmoid(load(z + in.rows * PANEL) + load(layer.weights.gates.bias + hidden + unit, count)),
            count);
    });
  });
  products.run(in.rows, x, depth, layer.weights.candidate.panels, 1, hidden, [&](long p, const float* sums) {
    each(p, sums, [&](const float* z, V h, long b, long unit, long count) {
      const V n = hyperbolicTangent(load(z) + load(layer.weights.candidate.bias + unit, count));
      store(layer.hAfter + b * hidden + unit, n + load(update + b * hidden + unit, count) * (h - n), count);
    });
  });
}

void decoderStep(const DecoderStep& in) {
  const StepSizes sizes(in);
  const StepAttention& attention = in.attention;
  const long rows = in.rows;
  Pieces pieces(StepProducts::memorySize(rows, sizes.depth, 4) +
                rows * (sizes.depth + sizes.hidden + attention.query + attention.memorySize + in.output));
  const StepProducts products(rows, sizes.depth, 4, pieces);
  float* const x = pieces.take(rows * sizes.depth);
  float* const update = pieces.take(rows * sizes.hidden);
  float* const queries = pieces.take(rows * attention.query);
  float* const context = pieces.take(rows * attention.memorySize);
  float* const own = pieces.take(rows * in.output);
  float* const o = in.fedAfter == nullptr ? own : in.fedAfter;

  // What a step knows beside its state: without attention the readout sees it too.
  std::vector<Columns> given = {{in.table, in.embedding, in.previous}};
  if (in.summary != nullptr) given.push_back({in.summary, in.summarySize, in.summaries});
  std::vector<Columns> input = given;
  if (in.fed != nullptr) input.push_back({in.fed, in.output, in.parents});
  for (const StepLayer& layer : in.layers) {
    input.push_back({layer.h, layer.hidden, in.parents});
    const long depth = join(input, rows, x);
    layer.isGru ? gruLayer(in, layer, products, x, depth, update) : lstmLayer(in, layer, products, x, depth);
    input = {{layer.hAfter, layer.hidden, nullptr}};
  }

  std::vector<Columns> read = input;  // s
  if (attention.scoring == Scoring::none) {
    read.insert(read.end(), given.begin(), given.end());
  } else {
    const Columns& s = input.front();
    if (attention.scoring == Scoring::additive)
      products.linear({rows, s.width, attention.query, false, s.from, attention.projection, queries});
    attendStep(attention, rows, attention.scoring == Scoring::additive ? queries : s.from, context);
    read.push_back({context, attention.memorySize, nullptr});
  }
  products.linear({rows, join(read, rows, x), in.output, true, x, in.readout, o});
  products.linear({rows, in.output, in.vocabulary, false, o, in.logitsWeights, in.logits});
}

}  // namespace
}  // namespace dragoman
