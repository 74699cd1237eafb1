import { VERSION } from '../version.js';

/**
 * A metric's settings in sacreBLEU's notation (Post 2018), so that two scores can be seen to be comparable:
 * `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:dragoman-0.1.0`. The version is Dragoman's own; the
 * other fields mean what they mean there.
 */
export function signature(fields: readonly (readonly [name: string, value: string | number])[]): string {
  return [...fields, ['version', `dragoman-${VERSION}`] as const].map(([n, v]) => `${n}:${v}`).join('|');
}
