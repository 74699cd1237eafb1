// An LSTM layer over a whole sequence: each thread has its own columns of the gates, and with them its own cells.
#pragma once
#include "layer-steps.h"

namespace dragoman {
namespace {

void lstmForward(const LstmForward& in) {
  const long time = in.layer.time;
  const long batch = in.layer.batch;
  const long hidden = in.layer.hidden;
  const bool backward = in.layer.backward;
  const int32_t* const lengths = in.layer.lengths;
  const long panels = panelsOf(hidden);
  const long size = batch * hidden;
  // Packed weights; the states before and after a step; the cells; sums of a panel of units, gate by gate, per thread.
  const long sums = 4 * batch * PANEL;
  const long threads = threadCount();
  Pieces pieces(4 * panels * PANEL * hidden + 3 * size + threads * (sums + PRODUCT_SCRATCH));
  float* const packed = pieces.take(4 * panels * PANEL * hidden);
  float* const states = pieces.take(2 * size);
  float* const cells = pieces.take(size);
  float* const allSums = pieces.take(threads * sums);
  float* const memory = pieces.take(threads * PRODUCT_SCRATCH);

  const auto work = [&](const Member& member) {
    const long first = member.from(panels);
    const long last = member.to(panels);
    float* const z = allSums + member.index * sums;
    projectInput(member, in.layer, in.weights, in.x, 4 * hidden, in.gates, memory);
    for (long p = first; p < last; p++) {
      const long unit = p * PANEL;
      const long width = std::min<long>(PANEL, hidden - unit);
      for (int gate = 0; gate < 4; gate++)
        pack(plain(in.weights.recurrent + gate * hidden + unit, 4 * hidden), width, hidden,
                    packed + (4 * p + gate) * PANEL * hidden);
      copyColumns(in.h0, states, batch, hidden, unit, width);
      copyColumns(in.c0, cells, batch, hidden, unit, width);
    }
    member.meet();
    for (long step = 0; step < time; step++) {
      const long t = backward ? time - 1 - step : step;
      const float* const before = states + (step % 2) * size;
      float* const after = states + ((step + 1) % 2) * size;
      for (long p = first; p < last; p++) {
        for (int gate = 0; gate < 4; gate++)
          multiply(batch, before, hidden, packed + (4 * p + gate) * PANEL * hidden, hidden,
                   z + gate * batch * PANEL);
        for (long b = 0; b < batch; b++) {
          const bool real = t < lengths[b];
          for (int half = 0; half < 2; half++) {
            const long unit = p * PANEL + half * LANES;
            const long count = std::min<long>(LANES, hidden - unit);
            if (count <= 0) break;
            const long row = b * hidden + unit;
            const long place = t * size + row;
            if (!real) {
              store(after + row, load(before + row, count), count);
              store(in.states + place, V{}, count);
              continue;
            }
            const long at = (t * batch + b) * 4 * hidden + unit;
            const auto sum = [&](int gate) {
              return load(z + (gate * batch + b) * PANEL + half * LANES) +
                     load(in.gates + at + gate * hidden, count) + load(in.weights.bias + gate * hidden + unit, count);
            };
            const V i = sigmoid(sum(0));
            const V g = hyperbolicTangent(sum(1));
            const V f = sigmoid(sum(2));
            const V o = sigmoid(sum(3));
            const V c = f * load(cells + row, count) + i * g;
            const V h = o * hyperbolicTangent(c);
            store(in.gates + at, i, count);
            store(in.gates + at + hidden, g, count);
            store(in.gates + at + 2 * hidden, f, count);
            store(in.gates + at + 3 * hidden, o, count);
            store(cells + row, c, count);
            store(in.cells + place, c, count);
            store(after + row, h, count);
            store(in.states + place, h, count);
          }
        }
      }
      member.meet();
    }
    if (in.hEnd == nullptr) return;
    for (long p = first; p < last; p++) {
      const long width = std::min<long>(PANEL, hidden - p * PANEL);
      copyColumns(states + (time % 2) * size, in.hEnd, batch, hidden, p * PANEL, width);
      copyColumns(cells, in.cEnd, batch, hidden, p * PANEL, width);
    }
  };
  runLayer(in.layer, 4 * hidden, work);
}

void lstmBackward(const LstmBackward& in) {
  const long time = in.layer.time;
  const long batch = in.layer.batch;
  const long hidden = in.layer.hidden;
  const bool backward = in.layer.backward;
  const int32_t* const lengths = in.layer.lengths;
  const long panels = panelsOf(hidden);
  const long size = batch * hidden;
  const long width4 = 4 * hidden;
  const long threads = threadCount();
  Pieces pieces(panels * PANEL * width4 + 2 * size + (time + 1) * batch * width4 +
                threads * (batch * PANEL + PRODUCT_SCRATCH));
  float* const packed = pieces.take(panels * PANEL * width4);
  float* const dh = pieces.take(size);  // by the state, from the steps after
  float* const dc = pieces.take(size);
  float* const dzAll = pieces.take(time * batch * width4);  // by the gates before their functions
  float* const firsts = pieces.take(batch * width4);
  float* const allSums = pieces.take(threads * batch * PANEL);
  float* const memory = pieces.take(threads * PRODUCT_SCRATCH);

  const auto work = [&](const Member& member) {
    const long first = member.from(panels);
    const long last = member.to(panels);
    float* const sums = allSums + member.index * batch * PANEL;
    for (long p = first; p < last; p++) {
      const long unit = p * PANEL;
      const long width = std::min<long>(PANEL, hidden - unit);
      pack(transposed(in.weights.recurrent + unit * width4, width4), width, width4, packed + p * PANEL * width4);
      copyColumns(in.dhEnd, dh, batch, hidden, unit, width);
      copyColumns(in.dcEnd, dc, batch, hidden, unit, width);
      for (int gate = 0; gate < 4; gate++) std::fill_n(in.gradients.dBias + gate * hidden + unit, width, 0.0f);
    }
    // dh of the rows that the step took part in, from its dz.
    const auto through = [&](long p, long t) {
      multiply(batch, dzAll + t * batch * width4, width4, packed + p * PANEL * width4, width4, sums);
      const long width = std::min<long>(PANEL, hidden - p * PANEL);
      for (long b = 0; b < batch; b++)
        if (t < lengths[b]) std::copy_n(sums + b * PANEL, width, dh + b * hidden + p * PANEL);
    };
    for (long step = 0; step < time; step++) {
      const long t = backward ? step : time - 1 - step;
      for (long p = first; p < last; p++) {
        if (step > 0) through(p, backward ? t - 1 : t + 1);
        for (int half = 0; half < 2; half++) {
          const long unit = p * PANEL + half * LANES;
          const long count = std::min<long>(LANES, hidden - unit);
          if (count <= 0) break;
          V dBias[4] = {};
          for (long b = 0; b < batch; b++) {
            const long row = b * hidden + unit;
            const long place = t * size + row;
            const long at = (t * batch + b) * width4 + unit;
            if (t >= lengths[b]) {
              for (int gate = 0; gate < 4; gate++) store(dzAll + at + gate * hidden, V{}, count);
              continue;
            }
            const long previous = previousStep(in.layer, b, t);
            const V cBefore = load(previous < 0 ? in.c0 + row : in.cells + previous * size + row, count);
            const V i = load(in.gates + at, count);
            const V g = load(in.gates + at + hidden, count);
            const V f = load(in.gates + at + 2 * hidden, count);
            const V o = load(in.gates + at + 3 * hidden, count);
            const V co = hyperbolicTangent(load(in.cells + place, count));
            const V byH = load(in.dStates + place, count) + load(dh + row, count);
            const V byC = load(dc + row, count) + byH * o * (1.0f - co * co);
            const V dz[4] = {byC * g * i * (1.0f - i), byC * i * (1.0f - g * g), byC * cBefore * f * (1.0f - f),
                             byH * co * o * (1.0f - o)};
            for (int gate = 0; gate < 4; gate++) {
              store(dzAll + at + gate * hidden, dz[gate], count);
              dBias[gate] += dz[gate];
            }
            store(dc + row, byC * f, count);
          }
          for (int gate = 0; gate < 4; gate++) {
            float* const to = in.gradients.dBias + gate * hidden + unit;
            store(to, load(to, count) + dBias[gate], count);
          }
        }
      }
      member.meet();
    }
    for (long p = first; p < last; p++) {
      if (time > 0) through(p, backward ? time - 1 : 0);
      const long width = std::min<long>(PANEL, hidden - p * PANEL);
      copyColumns(dh, in.dh0, batch, hidden, p * PANEL, width);
      copyColumns(dc, in.dc0, batch, hidden, p * PANEL, width);
    }
    inputGradients(member, in.layer, in.weights, in.x, dzAll, width4, in.gradients, memory);
    stateGradients(member, in.layer, in.h0, in.states, dzAll, width4, width4, in.gradients.dRecurrent, firsts,
                   memory);
  };
  runLayer(in.layer, width4, work);
}

}  // namespace
}  // namespace dragoman
