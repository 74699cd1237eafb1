/**
 * A set of byte strings with a number for each, as an array of 32-bit units (Aoe 1989; the layout is that of
 * Darts-clone, which SentencePiece keeps its replacements in). From unit `i`, byte `b` leads to unit
 * `i ^ offset(i) ^ b`, if that carries the label `b`; a unit that ends a string leads by byte 0 to its value.
 *
 *     bits 0..7 label · 8 ends a string · 9 offset counts in 256 · 10..30 offset · or 31 set and 0..30 a value
 */
export class DoubleArray {
  /** @param units As {@link buildDoubleArray} makes them, or of a file that {@link isSound} was asked about. */
  constructor(readonly units: Uint32Array) {}

  /**
   * The longest string that stands at `start` of `bytes`: `end` of it and its value, written to `found`.
   * False if there is none.
   */
  longest(bytes: Uint8Array, start: number, end: number, found: { end: number; value: number }): boolean {
    const { units } = this;
    let position = offsetOf(units[0]!);
    let any = false;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      position ^= byte;
      const unit = units[position]!;
      if ((unit & LABEL) >>> 0 !== byte) return any;
      position ^= offsetOf(unit);
      if ((unit & ENDS) === 0) continue;
      any = true;
      found.end = i + 1;
      found.value = units[position]! & VALUE;
    }
    return any;
  }

  /** The unit that a byte leads to, 0 if to none. The root is 0. */
  step(unit: number, byte: number): number {
    const next = unit ^ offsetOf(this.units[unit]!) ^ byte;
    return (this.units[next]! & LABEL) >>> 0 === byte ? next : 0;
  }

  /** The value of the string that ends at a unit, -1 if none does. */
  value(unit: number): number {
    const found = this.units[unit]!;
    return (found & ENDS) === 0 ? -1 : this.units[unit ^ offsetOf(found)]! & VALUE;
  }
}

/** A label is compared with bit 31: a value is no label. */
const LABEL = 0x800000ff;
const ENDS = 1 << 8;
const VALUE = 0x7fffffff;

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
}

/** Whether no step from any unit can lead out of the array. */
export function isSound(units: Uint32Array): boolean {
  const within = (index: number): boolean => (index | 0xff) >>> 0 < units.length;
  const root = units[0];
  if (root === undefined || (root & LABEL) !== 0 || (root & ENDS) !== 0 || offsetOf(root) === 0) return false;
  return units.every(
    (unit, index) => unit >>> 31 === 1 || offsetOf(unit) === 0 || within(index ^ offsetOf(unit)),
  );
}
