// An LSTM layer over a whole sequence: each thread has its own columns of the gates, and with them its own cells.
#pragma once
#include "layer-steps.h"
#include "lstm-cell.h"

namespace dragoman {
namespace {

void lstmForward(const LstmForward& in) {
  const long time = in.layer.time;
  const long batch = in.layer.batch;
  const long hidden = in.layer.hidden;
  const int32_t* const lengths = in.layer.lengths;
  const long width4 = 4 * hidden;
  const long panels = panelsOf(hidden);
  const long size = batch * hidden;
  const long sums = 4 * batch * PANEL;
  const long threads = threadCount();
  const long weights = 4 * panels * panelSize(hidden);
  const long rows = rowsSize(batch, hidden);
  Pieces pieces(weights + 2 * rows + 3 * size + threads * (sums + PRODUCT_SCRATCH));
  float* const packed = pieces.take(weights);
  const PackedRows packedStates[2] = {{batch, hidden, pieces.take(rows)}, {batch, hidden, pieces.take(rows)}};
  float* const states = pieces.take(2 * size);  // before and after a step
  float* const cells = pieces.take(size);
  float* const allSums = pieces.take(threads * sums);
  float* const memory = pieces.take(threads * PRODUCT_SCRATCH);

  const auto work = [&](const Member& member) {
    const long first = member.from(panels);
    const long last = member.to(panels);
    float* const z = allSums + member.index * sums;
    const auto panelOf = [&](long p, int gate) { return packed + (4 * p + gate) * panelSize(hidden); };
    projectInput(member, in, width4, in.gates, memory);
    for (long p = first; p < last; p++) {
      for (int gate = 0; gate < 4; gate++)
        pack(plain(in.weights.recurrent + gate * hidden + p * PANEL, width4), widthOf(p, hidden), hidden,
             panelOf(p, gate));
      copyPanel(p, in.h0, states, batch, hidden);
      packedStates[0].packPanel(p, plain(states, hidden));
      copyPanel(p, in.c0, cells, batch, hidden);
    }
    member.meet();
    for (long step = 0; step < time; step++) {
      const long t = stepRead(in.layer, step);
      const float* const before = states + (step % 2) * size;
      float* const after = states + ((step + 1) % 2) * size;
      for (long p = first; p < last; p++) {
        for (int gate = 0; gate < 4; gate++)
          packedStates[step % 2].multiply(panelOf(p, gate), z + gate * batch * PANEL);
        for (long b = 0; b < batch; b++) {
          const bool real = t < lengths[b];
          eachVector(p, hidden, [&](long offset, long unit, long count) {
            const long row = b * hidden + unit;
            const long place = t * size + row;
            if (!real) {
              store(after + row, load(before + row, count), count);
              store(in.states + place, V{}, count);
              return;
            }
            float* const gates = in.gates + (t * batch + b) * width4 + unit;
            const auto sum = [&](int gate) {
              return load(z + (gate * batch + b) * PANEL + offset) + load(gates + gate * hidden, count) +
                     load(in.weights.bias + gate * hidden + unit, count);
            };
            const LstmCell cell(sum, load(cells + row, count));
            store(gates, cell.i, count);
            store(gates + hidden, cell.g, count);
            store(gates + 2 * hidden, cell.f, count);
            store(gates + 3 * hidden, cell.o, count);
            store(cells + row, cell.c, count);
            store(in.cells + place, cell.c, count);
            store(after + row, cell.h, count);
            store(in.states + place, cell.h, count);
          });
        }
        packedStates[(step + 1) % 2].packPanel(p, plain(after, hidden));
      }
      member.meet();
    }
    if (in.hEnd == nullptr) return;
    for (long p = first; p < last; p++) {
      copyPanel(p, states + (time % 2) * size, in.hEnd, batch, hidden);
      copyPanel(p, cells, in.cEnd, batch, hidden);
    }
  };
  runLayer(in.layer, width4, work);
}

void lstmBackward(const LstmBackward& in) {
  const long time = in.layer.time;
  const long batch = in.layer.batch;
  const long hidden = in.layer.hidden;
  const int32_t* const lengths = in.layer.lengths;
  const long panels = panelsOf(hidden);
  const long size = batch * hidden;
  const long width4 = 4 * hidden;
  const long threads = threadCount();
  const long weights = 4 * panels * panelSize(hidden);
  Pieces pieces(weights + 8 * rowsSize(batch, hidden) + 2 * size + (time + 1) * batch * width4 +
                threads * (batch * PANEL + PRODUCT_SCRATCH));
  float* const packed = pieces.take(weights);
  const GateRows<4> packedGates(batch, hidden, pieces);
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
    const auto panelOf = [&](long p, int gate) { return packed + (4 * p + gate) * panelSize(hidden); };
    for (long p = first; p < last; p++) {
      for (int gate = 0; gate < 4; gate++)
        pack(transposed(in.weights.recurrent + p * PANEL * width4 + gate * hidden, width4), widthOf(p, hidden), hidden,
             panelOf(p, gate));
      copyPanel(p, in.dhEnd, dh, batch, hidden);
      copyPanel(p, in.dcEnd, dc, batch, hidden);
      clearBias(p, in.gradients, 4, hidden);
    }
    // dh of the rows that the step took part in, from its dz.
    const auto through = [&](long p, long step) {
      const long t = stepRead(in.layer, step);
      for (int gate = 0; gate < 4; gate++) packedGates.of(step, gate).multiply(panelOf(p, gate), sums, gate > 0);
      for (long b = 0; b < batch; b++)
        if (t < lengths[b]) std::copy_n(sums + b * PANEL, widthOf(p, hidden), dh + b * hidden + p * PANEL);
    };
    for (long step = time - 1; step >= 0; step--) {
      const long t = stepRead(in.layer, step);
      for (long p = first; p < last; p++) {
        if (step + 1 < time) through(p, step + 1);
        eachVector(p, hidden, [&](long, long unit, long count) {
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
          for (int gate = 0; gate < 4; gate++) addToBias(in.gradients, gate * hidden + unit, dBias[gate], count);
        });
        for (int gate = 0; gate < 4; gate++)
          packedGates.of(step, gate).packPanel(p, plain(dzAll + t * batch * width4 + gate * hidden, width4));
      }
      member.meet();
    }
    for (long p = first; p < last; p++) {
      if (time > 0) through(p, 0);
      copyPanel(p, dh, in.dh0, batch, hidden);
      copyPanel(p, dc, in.dc0, batch, hidden);
    }
    inputGradients(member, in, dzAll, width4, in.gradients, memory);
    stateGradients(member, in, in.states, dzAll, width4, width4, in.gradients, firsts, memory);
  };
  runLayer(in.layer, width4, work);
}

}  // namespace
}  // namespace dragoman
