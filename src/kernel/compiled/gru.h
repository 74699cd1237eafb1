// A GRU layer over a whole sequence. The candidate needs the reset states of all units, so a step is two meetings long.
#pragma once
#include "layer-steps.h"

namespace dragoman {
namespace {

void gruForward(const GruForward& in) {
  const long time = in.layer.time;
  const long batch = in.layer.batch;
  const long hidden = in.layer.hidden;
  const int32_t* const lengths = in.layer.lengths;
  const long width3 = 3 * hidden;
  const long panels = panelsOf(hidden);
  const long size = batch * hidden;
  const long sums = 2 * batch * PANEL;
  const long threads = threadCount();
  const long weights = 3 * panels * panelSize(hidden);
  const long rows = rowsSize(batch, hidden);
  Pieces pieces(weights + 2 * rows + 2 * size + threads * (sums + PRODUCT_SCRATCH));
  float* const packed = pieces.take(weights);
  const PackedRows packedState(batch, hidden, pieces.take(rows));
  const PackedRows packedReset(batch, hidden, pieces.take(rows));
  float* const state = pieces.take(size);
  float* const reset = pieces.take(size);  // r h
  float* const allSums = pieces.take(threads * sums);
  float* const memory = pieces.take(threads * PRODUCT_SCRATCH);

  const auto work = [&](const Member& member) {
    const long first = member.from(panels);
    const long last = member.to(panels);
    float* const z = allSums + member.index * sums;
    const auto panelOf = [&](long p, int gate) { return packed + (3 * p + gate) * panelSize(hidden); };
    // What is known of a gate before the product with the state: x W + b, of which the first stands in the gates' place.
    const auto known = [&](long at, int gate, long unit, long count) {
      return load(in.gates + at + gate * hidden, count) + load(in.weights.bias + gate * hidden + unit, count);
    };
    projectInput(member, in, width3, in.gates, memory);
    for (long p = first; p < last; p++) {
      for (int gate = 0; gate < 3; gate++)
        pack(plain(in.weights.recurrent + gate * hidden + p * PANEL, width3), widthOf(p, hidden), hidden,
             panelOf(p, gate));
      copyPanel(p, in.h0, state, batch, hidden);
      packedState.packPanel(p, plain(state, hidden));
    }
    member.meet();
    for (long step = 0; step < time; step++) {
      const long t = stepRead(in.layer, step);
      for (long p = first; p < last; p++) {
        for (int gate = 0; gate < 2; gate++)
          packedState.multiply(panelOf(p, gate), z + gate * batch * PANEL);
        for (long b = 0; b < batch; b++) {
          eachVector(p, hidden, [&](long offset, long unit, long count) {
            const long row = b * hidden + unit;
            const long at = (t * batch + b) * width3 + unit;
            const auto gateOf = [&](int gate) {
              return sigmoid(load(z + (gate * batch + b) * PANEL + offset) + known(at, gate, unit, count));
            };
            const V r = gateOf(0);
            store(in.gates + at, r, count);
            store(in.gates + at + hidden, gateOf(1), count);
            store(reset + row, r * load(state + row, count), count);
          });
        }
        packedReset.packPanel(p, plain(reset, hidden));
      }
      member.meet();
      for (long p = first; p < last; p++) {
        packedReset.multiply(panelOf(p, 2), z);
        for (long b = 0; b < batch; b++) {
          const bool real = t < lengths[b];
          eachVector(p, hidden, [&](long offset, long unit, long count) {
            const long row = b * hidden + unit;
            const long at = (t * batch + b) * width3 + unit;
            if (!real) {
              store(in.states + t * size + row, V{}, count);
              return;
            }
            const V n = hyperbolicTangent(load(z + b * PANEL + offset) + known(at, 2, unit, count));
            const V keep = load(in.gates + at + hidden, count);
            const V h = n + keep * (load(state + row, count) - n);
            store(in.gates + at + 2 * hidden, n, count);
            store(state + row, h, count);
            store(in.states + t * size + row, h, count);
          });
        }
        packedState.packPanel(p, plain(state, hidden));
      }
      member.meet();
    }
    if (in.hEnd == nullptr) return;
    for (long p = first; p < last; p++) copyPanel(p, state, in.hEnd, batch, hidden);
  };
  runLayer(in.layer, width3, work);
}

/**
 * With dh the gradient of a step's state and all before their functions:
 *
 *     dn = dh (1 - z) (1 - n²),  dz = dh (h_{t-1} - n) z (1 - z),  dr = (dn U_n') h_{t-1} r (1 - r)
 *     dh_{t-1} = dh z + (dn U_n') r + [dr dz] [U_r U_z]'
 */
void gruBackward(const GruBackward& in) {
  const long time = in.layer.time;
  const long batch = in.layer.batch;
  const long hidden = in.layer.hidden;
  const int32_t* const lengths = in.layer.lengths;
  const long panels = panelsOf(hidden);
  const long size = batch * hidden;
  const long width3 = 3 * hidden;
  const long threads = threadCount();
  const long weights = 3 * panels * panelSize(hidden);
  Pieces pieces(weights + 6 * rowsSize(batch, hidden) + (time + 1) * size + (time + 1) * batch * width3 +
                threads * (batch * PANEL + PRODUCT_SCRATCH));
  float* const packed = pieces.take(weights);
  const GateRows<3> packedGates(batch, hidden, pieces);
  float* const dh = pieces.take(size);
  float* const resets = pieces.take(time * size);           // r h_{t-1}
  float* const dzAll = pieces.take(time * batch * width3);  // by the gates before their functions
  float* const firsts = pieces.take(batch * width3);
  float* const allSums = pieces.take(threads * batch * PANEL);
  float* const memory = pieces.take(threads * PRODUCT_SCRATCH);

  const auto work = [&](const Member& member) {
    const long first = member.from(panels);
    const long last = member.to(panels);
    float* const sums = allSums + member.index * batch * PANEL;
    const auto panelOf = [&](long p, int gate) { return packed + (3 * p + gate) * panelSize(hidden); };
    for (long p = first; p < last; p++) {
      for (int gate = 0; gate < 3; gate++)
        pack(transposed(in.weights.recurrent + p * PANEL * width3 + gate * hidden, width3), widthOf(p, hidden), hidden,
             panelOf(p, gate));
      copyPanel(p, in.dhEnd, dh, batch, hidden);
      clearBias(p, in.gradients, 3, hidden);
    }
    for (long step = time - 1; step >= 0; step--) {
      const long t = stepRead(in.layer, step);
      float* const dz = dzAll + t * batch * width3;
      const auto packGate = [&](long p, int gate) {
        packedGates.of(step, gate).packPanel(p, plain(dz + gate * hidden, width3));
      };
      const float* const gatesNow = in.gates + t * batch * width3;
      for (long p = first; p < last; p++) {
        for (long b = 0; b < batch; b++) {
          const bool real = t < lengths[b];
          eachVector(p, hidden, [&](long, long unit, long count) {
            const long row = b * hidden + unit;
            const long place = t * size + row;
            const long at = b * width3 + unit;
            if (!real) {
              for (int gate = 0; gate < 3; gate++) store(dz + at + gate * hidden, V{}, count);
              store(resets + place, V{}, count);
              return;
            }
            const long previous = previousStep(in.layer, b, t);
            const V h = load(previous < 0 ? in.h0 + row : in.states + previous * size + row, count);
            const V r = load(gatesNow + at, count);
            const V keep = load(gatesNow + at + hidden, count);
            const V n = load(gatesNow + at + 2 * hidden, count);
            const V by = load(in.dStates + place, count) + load(dh + row, count);
            store(dh + row, by * keep, count);
            const V dKeep = by * (h - n) * keep * (1.0f - keep);
            const V dn = by * (1.0f - keep) * (1.0f - n * n);
            store(dz + at + hidden, dKeep, count);
            store(dz + at + 2 * hidden, dn, count);
            addToBias(in.gradients, hidden + unit, dKeep, count);
            addToBias(in.gradients, 2 * hidden + unit, dn, count);
            store(resets + place, r * h, count);
          });
        }
        packGate(p, 1);
        packGate(p, 2);
      }
      member.meet();
      for (long p = first; p < last; p++) {
        packedGates.of(step, 2).multiply(panelOf(p, 2), sums);
        for (long b = 0; b < batch; b++) {
          if (t >= lengths[b]) continue;
          eachVector(p, hidden, [&](long offset, long unit, long count) {
            const long row = b * hidden + unit;
            const long at = b * width3 + unit;
            const V byReset = load(sums + b * PANEL + offset);
            const V r = load(gatesNow + at, count);
            const V reset = load(resets + t * size + row, count);
            const V dr = byReset * reset * (1.0f - r);
            store(dz + at, dr, count);
            addToBias(in.gradients, unit, dr, count);
            store(dh + row, load(dh + row, count) + byReset * r, count);
          });
        }
        packGate(p, 0);
      }
      member.meet();
      for (long p = first; p < last; p++) {
        for (int gate = 0; gate < 2; gate++) packedGates.of(step, gate).multiply(panelOf(p, gate), sums, gate > 0);
        for (long b = 0; b < batch; b++) {
          if (t >= lengths[b]) continue;
          eachVector(p, hidden, [&](long offset, long unit, long count) {
            const long row = b * hidden + unit;
            store(dh + row, load(dh + row, count) + load(sums + b * PANEL + offset), count);
          });
        }
      }
    }
    for (long p = first; p < last; p++) copyPanel(p, dh, in.dh0, batch, hidden);
    inputGradients(member, in, dzAll, width3, in.gradients, memory);
    stateGradients(member, in, in.states, dzAll, width3, 2 * hidden, in.gradients, firsts, memory);
    largeProduct(member, hidden, hidden, time * batch, transposed(resets, hidden), plain(dzAll + 2 * hidden, width3),
                 {in.gradients.dRecurrent + 2 * hidden, width3}, memory);
  };
  runLayer(in.layer, width3, work);
}

}  // namespace
}  // namespace dragoman
