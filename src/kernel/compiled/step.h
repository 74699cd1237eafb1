// Parts of one decoder step, for one sentence or for hundreds of hypotheses: weights are packed once for all steps.
#pragma once
#include <cmath>
#include <limits>

#include "layer-steps.h"
#include "lstm.h"

namespace dragoman {
namespace {

/** Multiplications from which to share them takes less time than they do: a thread that has just worked is awake. */
constexpr double SHARED_STEP = 1e5;

/** Does all pieces, alone or with others. @param work takes the thread's number and the piece's */
template <typename Work>
void runStep(double multiplications, long pieces, const Work& work) {
  if (multiplications >= SHARED_STEP) return share(pieces, [&](const Member& member, long p) { work(member.index, p); });
  for (long piece = 0; piece < pieces; piece++) work(0, piece);
}

long packedSize(long depth, long groups, long columns) { return panelsOf(columns) * groups * panelSize(depth); }

/** Panels of a matrix [depth, groups * columns]; those of the same columns of every group stand together. */
void packPanels(const Packing& in) {
  const long panels = panelsOf(in.columns);
  runStep(static_cast<double>(in.depth) * in.groups * in.columns, panels, [&](int, long p) {
    for (long group = 0; group < in.groups; group++)
      pack(plain(in.matrix + group * in.columns + p * PANEL, in.groups * in.columns),
           widthOf(p, in.columns), in.depth,
           in.panels + (p * in.groups + group) * panelSize(in.depth));
  });
}

/** f(x W + b), f being tanh or nothing. */
void linearStep(const LinearStep& in) {
  const long panels = panelsOf(in.columns);
  const long size = rowsSize(in.rows, in.depth);
  Pieces pieces(size + threadCount() * PANEL * in.rows);
  const PackedRows x(in.rows, in.depth, pieces.take(size));
  x.packAll(plain(in.x, in.depth));
  float* const allSums = pieces.take(threadCount() * PANEL * in.rows);
  runStep(static_cast<double>(in.rows) * in.depth * in.columns, panels, [&](int thread, long p) {
    [[maybe_unused]] const Registers registers;
    float* const sums = allSums + thread * in.rows * PANEL;
    x.multiply(in.panels + p * panelSize(in.depth), sums);
    for (long b = 0; b < in.rows; b++) {
      eachVector(p, in.columns, [&](long offset, long column, long count) {
        const V z = load(sums + b * PANEL + offset) + load(in.bias + column, count);
        store(in.y + b * in.columns + column, in.tanh ? hyperbolicTangent(z) : z, count);
      });
    }
  });
}

/** An LSTM's step; its panels are those of four groups, the gates i, g, f, o. */
void lstmStep(const LstmStep& in) {
  const long panels = panelsOf(in.hidden);
  const long sums = 4 * in.rows * PANEL;
  const long size = rowsSize(in.rows, in.depth);
  Pieces pieces(size + threadCount() * sums);
  const PackedRows x(in.rows, in.depth, pieces.take(size));
  x.packAll(plain(in.x, in.depth));
  float* const allSums = pieces.take(threadCount() * sums);
  runStep(static_cast<double>(in.rows) * in.depth * 4 * in.hidden, panels, [&](int thread, long p) {
    [[maybe_unused]] const Registers registers;
    float* const z = allSums + thread * sums;
    for (int gate = 0; gate < 4; gate++)
      x.multiply(in.panels + (4 * p + gate) * panelSize(in.depth), z + gate * in.rows * PANEL);
    for (long b = 0; b < in.rows; b++) {
      eachVector(p, in.hidden, [&](long offset, long unit, long count) {
        const auto sum = [&](int gate) {
          return load(z + (gate * in.rows + b) * PANEL + offset) + load(in.bias + gate * in.hidden + unit, count);
        };
        const long at = b * in.hidden + unit;
        const LstmCell cell(sum, load(in.c + at, count));
        store(in.cAfter + at, cell.c, count);
        store(in.hAfter + at, cell.h, count);
      });
    }
  });
}

inline float total(V value) {
  float lanes[LANES];
  store(lanes, value);
  float sum = 0;
  for (const float lane : lanes) sum += lane;
  return sum;
}

inline float dot(const float* a, const float* b, long size) {
  V sums[2] = {};
  long k = 0;
  for (; k + 2 * LANES <= size; k += 2 * LANES) {
    sums[0] += load(a + k) * load(b + k);
    sums[1] += load(a + k + LANES) * load(b + k + LANES);
  }
  for (; k < size; k += LANES) sums[0] += load(a + k, size - k) * load(b + k, size - k);
  return total(sums[0] + sums[1]);
}

/** Σ e^(x - largest). @param to where the terms are wanted, which may be x's own place; null if nowhere */
inline float sumOfExponentials(const float* x, long size, float largest, float* to) {
  V sum{};
  float rest = 0;
  long k = 0;
  for (; k + LANES <= size; k += LANES) {
    const V e = exponential(load(x + k) - largest);
    if (to != nullptr) store(to + k, e);
    sum += e;
  }
  for (; k < size; k++) {
    const float e = std::exp(x[k] - largest);
    if (to != nullptr) to[k] = e;
    rest += e;
  }
  return total(sum) + rest;
}

/** Attention by scalar products: weights = softmax(keys query + bias), context = weights memory. */
void attendStep(const AttendStep& in) {
  const long rows = in.batch * in.width;
  runStep(static_cast<double>(rows) * in.length * (in.query + in.memorySize), rows, [&](int, long row) {
    const long b = row / in.width;
    float* const weights = in.weights + row * in.length;
    float largest = -std::numeric_limits<float>::infinity();
    for (long t = 0; t < in.length; t++) {
      weights[t] = dot(in.s + row * in.query, in.keys + (b * in.length + t) * in.query, in.query) +
                   in.bias[b * in.length + t];
      largest = std::max(largest, weights[t]);
    }
    const float sum = sumOfExponentials(weights, in.length, largest, weights);
    for (long t = 0; t < in.length; t++) weights[t] /= sum;
    float* const context = in.context + row * in.memorySize;
    for (long k = 0; k < in.memorySize; k += LANES) {
      const long count = std::min<long>(LANES, in.memorySize - k);
      V value{};
      for (long t = 0; t < in.length; t++)
        value += weights[t] * load(in.memory + (b * in.length + t) * in.memorySize + k, count);
      store(context + k, value, count);
    }
  });
}

/**
 * The k largest of a row, largest first and equal ones by lower id, and ln Σ exp. A block of numbers is looked at one by
 * one only where one of them is larger than the smallest of those found before.
 */
inline void bestOfRow(const float* row, long size, long k, int32_t* ids, float* values, float* normaliser) {
  constexpr long BLOCK = 4 * LANES;
  long found = 0;
  const auto take = [&](long id) {
    const float value = row[id];
    if (found == k && !(value > values[k - 1])) return;
    long to = found < k ? found++ : k - 1;
    for (; to > 0 && values[to - 1] < value; to--) {
      values[to] = values[to - 1];
      ids[to] = ids[to - 1];
    }
    values[to] = value;
    ids[to] = static_cast<int32_t>(id);
  };
  long at = 0;
  for (; at + BLOCK <= size; at += BLOCK) {
    V most = load(row + at);
    for (int part = 1; part < 4; part++) most = larger(most, load(row + at + part * LANES));
    bool any = found < k;
    if (!any) {
      const I above = most > splat(values[k - 1]);
      int32_t lanes[LANES];
      std::memcpy(lanes, &above, sizeof lanes);
      for (const int32_t lane : lanes) any = any || lane != 0;
    }
    if (any)
      for (long id = at; id < at + BLOCK; id++) take(id);
  }
  for (long id = at; id < size; id++) take(id);
  *normaliser = values[0] + std::log(sumOfExponentials(row, size, values[0], nullptr));
}

void bestStep(const BestStep& in) {
  runStep(static_cast<double>(in.rows) * in.columns, in.rows, [&](int, long b) {
    bestOfRow(in.logits + b * in.columns, in.columns, in.k, in.ids + b * in.k, in.values + b * in.k,
              in.normalisers + b);
  });
}

}  // namespace
}  // namespace dragoman
