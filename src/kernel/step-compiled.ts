import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { Attribute, Handle, NativeOps } from '../engine/native.js';
import type { PackedWeights } from './packed-weights.js';
import type { StepParts, StepSource } from './step-parts.js';

/**
 * A decoder step by one operation of our own (src/kernel/compiled/decoder-step.h).
 * @param state in the order of the parts, `[rows before, size]` each
 * @param rows row of `state` that each row continues; null where all keep their places
 * @param previous the last token of each row
 * @returns the new state, the logits and, with attention, its weights
 */
export function compiledStep(
  native: NativeOps,
  { table, everyStep, attention }: StepParts,
  weights: PackedWeights,
  { summary, attention: memory }: StepSource,
  state: readonly Tensor2D[],
  rows: Int32Array | null,
  previous: Int32Array,
): Handle[] {
  const sources = [
    ...(everyStep ? [summary!] : []),
    ...(attention === null ? [] : [memory!.keys, memory!.memory, memory!.bias]),
  ];
  const indices = (values: Int32Array) => native.constant([values.length], 'int32', values);
  const inputs = [
    indices(previous),
    rows === null ? weights.inPlace : indices(rows),
    weights.form,
    ...state.map((tensor) => native.from(tensor)),
    ...sources.map((tensor) => native.from(tensor)),
    native.from(table),
    ...weights.all,
  ];
  const counts = attributesOf(native, state.length, sources.length, 1 + weights.all.length);
  const results = native.run('DragomanDecoderStep', counts, inputs, state.length + 2);
  return attention === null ? results.slice(0, -1) : results;
}

/** An operation's attributes, which are the same for every engine of TensorFlow's: made once. */
const made = new Map<string, readonly Attribute[]>();

function attributesOf(
  native: NativeOps,
  states: number,
  sources: number,
  parameters: number,
): readonly Attribute[] {
  const key = `${states} ${sources} ${parameters}`;
  let attributes = made.get(key);
  if (attributes === undefined) {
    attributes = native.attributes({
      states: { int: states },
      sources: { int: sources },
      parameters: { int: parameters },
    });
    made.set(key, attributes);
  }
  return attributes;
}
