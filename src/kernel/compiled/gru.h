// A GRU layer over a whole sequence. The candidate needs the reset states of all units, so a step is two meetings long.
#pragma once
#include "layer-steps.h"

namespace dragoman {
namespace {

void gruForward(const GruForward& in) {
  const long time = in.layer.time;
  const long batch = in.layer.batch;
  const long hidden = in.layer.hidden;
  const bool backward = in.layer.backward;
  const int32_t* const lengths = in.layer.lengths;
  const long panels = panelsOf(hidden);
  const long size = batch * hidden;
  const long sums = 2 * batch * PANEL;
  const long threads = threadCount();
  Pieces pieces(3 * panels * PANEL * hidden + 2 * size + threads * (sums + PRODUCT_SCRATCH));
  float* const packed = pieces.take(3 * panels * PANEL * hidden);
  float* const state = pieces.take(size);
  float* const reset = pieces.take(size);  // r h
  float* const allSums = pieces.take(threads * sums);
  float* const memory = pieces.take(threads * PRODUCT_SCRATCH);

  const auto work = [&](const Member& member) {
    const long first = member.from(panels);
    const long last = member.to(panels);
    float* const z = allSums + member.index * sums;
    projectInput(member, in.layer, in.weights, in.x, 3 * hidden, in.gates, memory);
    const auto panel = [&](long p, int gate) { return packed + (3 * p + gate) * PANEL * hidden; };
    for (long p = first; p < last; p++) {
      const long unit = p * PANEL;
      const long width = std::min<long>(PANEL, hidden - unit);
      for (int gate = 0; gate < 3; gate++)
        pack(plain(in.weights.recurrent + gate * hidden + unit, 3 * hidden), width, hidden, panel(p, gate));
      copyColumns(in.h0, state, batch, hidden, unit, width);
    }
    member.meet();
    for (long step = 0; step < time; step++) {
      const long t = backward ? time - 1 - step : step;
      for (long p = first; p < last; p++) {
        for (int gate = 0; gate < 2; gate++)
          multiply(batch, state, hidden, panel(p, gate), hidden, z + gate * batch * PANEL);
        for (long b = 0; b < batch; b++) {
          for (int half = 0; half < 2; half++) {
            const long unit = p * PANEL + half * LANES;
            const long count = std::min<long>(LANES, hidden - unit);
            if (count <= 0) break;
            const long row = b * hidden + unit;
            const long at = (t * batch + b) * 3 * hidden + unit;
            const auto gateOf = [&](int gate) {
              return sigmoid(load(z + (gate * batch + b) * PANEL + half * LANES) +
                             load(in.gates + at + gate * hidden, count) +
                             load(in.weights.bias + gate * hidden + unit, count));
            };
            const V r = gateOf(0);
            store(in.gates + at, r, count);
            store(in.gates + at + hidden, gateOf(1), count);
            store(reset + row, r * load(state + row, count), count);
          }
        }
      }
      member.meet();
      for (long p = first; p < last; p++) {
        multiply(batch, reset, hidden, panel(p, 2), hidden, z);
        for (long b = 0; b < batch; b++) {
          const bool real = t < lengths[b];
          for (int half = 0; half < 2; half++) {
            const long unit = p * PANEL + half * LANES;
            const long count = std::min<long>(LANES, hidden - unit);
            if (count <= 0) break;
            const long row = b * hidden + unit;
            const long at = (t * batch + b) * 3 * hidden + unit;
            if (!real) {
              store(in.states + t * size + row, V{}, count);
              continue;
            }
            const V n = hyperbolicTangent(load(z + b * PANEL + half * LANES) +
                                          load(in.gates + at + 2 * hidden, count) +
                                          load(in.weights.bias + 2 * hidden + unit, count));
            const V keep = load(in.gates + at + hidden, count);
            const V h = n + keep * (load(state + row, count) - n);
            store(in.gates + at + 2 * hidden, n, count);
            store(state + row, h, count);
            store(in.states + t * size + row, h, count);
          }
        }
      }
      member.meet();
    }
    if (in.hEnd == nullptr) return;
    for (long p = first; p < last; p++)
      copyColumns(state, in.hEnd, batch, hidden, p * PANEL, std::min<long>(PANEL, hidden - p * PANEL));
  };
  runLayer(in.layer, 3 * hidden, work);
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
  const bool backward = in.layer.backward;
  const int32_t* const lengths = in.layer.lengths;
  const long panels = panelsOf(hidden);
  const long size = batch * hidden;
  const long width3 = 3 * hidden;
  const long threads = threadCount();
  Pieces pieces(panels * PANEL * width3 + (time + 1) * size + (time + 1) * batch * width3 +
                threads * (batch * PANEL + PRODUCT_SCRATCH));
  float* const packed = pieces.take(panels * PANEL * width3);
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
    // Of each panel the columns of r and z, then those of n.
    const auto gatesPanel = [&](long p) { return packed + p * PANEL * width3; };
    const auto candidatePanel = [&](long p) { return gatesPanel(p) + 2 * hidden * PANEL; };
    for (long p = first; p < last; p++) {
      const long unit = p * PANEL;
      const long width = std::min<long>(PANEL, hidden - unit);
      pack(transposed(in.weights.recurrent + unit * width3, width3), width, width3, gatesPanel(p));
      copyColumns(in.dhEnd, dh, batch, hidden, unit, width);
      for (int gate = 0; gate < 3; gate++) std::fill_n(in.gradients.dBias + gate * hidden + unit, width, 0.0f);
    }
    const auto addToBias = [&](int gate, long unit, V value, long count) {
      float* const to = in.gradients.dBias + gate * hidden + unit;
      store(to, load(to, count) + value, count);
    };
    for (long step = 0; step < time; step++) {
      const long t = backward ? step : time - 1 - step;
      float* const dz = dzAll + t * batch * width3;
      for (long p = first; p < last; p++) {
        for (long b = 0; b < batch; b++) {
          const bool real = t < lengths[b];
          for (int half = 0; half < 2; half++) {
            const long unit = p * PANEL + half * LANES;
            const long count = std::min<long>(LANES, hidden - unit);
            if (count <= 0) break;
            const long row = b * hidden + unit;
            const long place = t * size + row;
            const long at = b * width3 + unit;
            if (!real) {
              for (int gate = 0; gate < 3; gate++) store(dz + at + gate * hidden, V{}, count);
              store(resets + place, V{}, count);
              continue;
            }
            const long previous = previousStep(in.layer, b, t);
            const V h = load(previous < 0 ? in.h0 + row : in.states + previous * size + row, count);
            const float* const gates = in.gates + t * batch * width3 + at;
            const V r = load(gates, count);
            const V keep = load(gates + hidden, count);
            const V n = load(gates + 2 * hidden, count);
            const V by = load(in.dStates + place, count) + load(dh + row, count);
            store(dh + row, by * keep, count);
            const V dKeep = by * (h - n) * keep * (1.0f - keep);
            const V dn = by * (1.0f - keep) * (1.0f - n * n);
            store(dz + at + hidden, dKeep, count);
            store(dz + at + 2 * hidden, dn, count);
            addToBias(1, unit, dKeep, count);
            addToBias(2, unit, dn, count);
            store(resets + place, r * h, count);
          }
        }
      }
      member.meet();
      for (long p = first; p < last; p++) {
        multiply(batch, dz + 2 * hidden, width3, candidatePanel(p), hidden, sums);
        for (long b = 0; b < batch; b++) {
          if (t >= lengths[b]) continue;
          for (int half = 0; half < 2; half++) {
            const long unit = p * PANEL + half * LANES;
            const long count = std::min<long>(LANES, hidden - unit);
            if (count <= 0) break;
            const long row = b * hidden + unit;
            const long at = b * width3 + unit;
            const V byReset = load(sums + b * PANEL + half * LANES);
            const V r = load(in.gates + t * batch * width3 + at, count);
            const V reset = load(resets + t * size + row, count);
            const V dr = byReset * reset * (1.0f - r);
            store(dz + at, dr, count);
            addToBias(0, unit, dr, count);
            store(dh + row, load(dh + row, count) + byReset * r, count);
          }
        }
      }
      member.meet();
      for (long p = first; p < last; p++) {
        multiply(batch, dz, width3, gatesPanel(p), 2 * hidden, sums);
        for (long b = 0; b < batch; b++) {
          if (t >= lengths[b]) continue;
          for (int half = 0; half < 2; half++) {
            const long unit = p * PANEL + half * LANES;
            const long count = std::min<long>(LANES, hidden - unit);
            if (count <= 0) break;
            const long row = b * hidden + unit;
            store(dh + row, load(dh + row, count) + load(sums + b * PANEL + half * LANES), count);
          }
        }
      }
    }
    for (long p = first; p < last; p++)
      copyColumns(dh, in.dh0, batch, hidden, p * PANEL, std::min<long>(PANEL, hidden - p * PANEL));
    member.meet();
    inputGradients(member, in.layer, in.weights, in.x, dzAll, width3, in.gradients, memory);
    stateGradients(member, in.layer, in.h0, in.states, dzAll, width3, 2 * hidden, in.gradients.dRecurrent, firsts,
                   memory);
    largeProduct(member, hidden, hidden, time * batch, transposed(resets, hidden), plain(dzAll + 2 * hidden, width3),
                 {in.gradients.dRecurrent + 2 * hidden, width3}, memory);
  };
  runLayer(in.layer, width3, work);
}

}  // namespace
}  // namespace dragoman
