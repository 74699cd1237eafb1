import { VERSION } from '../version.js';

/** One setting: its name, the name in a short signature, its value. */
export type SignatureField = readonly [name: string, short: string, value: string | number];

/** `yes` and `no`, as signatures write settings that are on or off. */
export function yesNo(on: boolean): 'yes' | 'no' {
  return on ? 'yes' : 'no';
}

/** The field every metric has: whether case counts. */
export function caseField(lowercase: boolean): SignatureField {
  return ['case', 'c', lowercase ? 'lc' : 'mixed'];
}

/**
 * A metric's settings in sacreBLEU's notation (Post 2018), so that two scores can be seen to be comparable:
 * `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:dragoman-0.1.0`, or short
 * `#:1|c:mixed|e:no|tok:13a|s:exp|v:dragoman-0.1.0`. The version is Dragoman's own; the other fields mean what they
 * mean there.
 */
export function signature(fields: readonly SignatureField[], short = false): string {
  const version: SignatureField = ['version', 'v', `dragoman-${VERSION}`];
  return [...fields, version]
    .map(([name, shortName, value]) => `${short ? shortName : name}:${value}`)
    .join('|');
}
