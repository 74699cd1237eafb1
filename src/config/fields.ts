import { z } from 'zod';

// What the schema says about itself: error messages and docs/configuration.md are both made from this, so
// that neither can drift from what is accepted.

type Schema = z.core.$ZodType;
type Key = string | number | symbol;

/** The schema below `default`, `prefault` and `optional`, with what those said. */
export interface Peeled {
  readonly schema: Schema;
  readonly description: string | undefined;
  /** The default; `undefined` where there is none. */
  readonly fallback: unknown;
  readonly required: boolean;
}

export function peel(schema: Schema): Peeled {
  let description: string | undefined;
  let fallback: unknown;
  let required = true;
  let inner = schema;
  for (;;) {
    description ??= z.globalRegistry.get(inner)?.description;
    if (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
      fallback ??= inner.def.defaultValue;
      required = false;
      inner = inner.def.innerType;
    } else if (inner instanceof z.ZodOptional) {
      required = false;
      inner = inner.def.innerType;
    } else if (inner instanceof z.ZodPipe) {
      inner = inner.def.in; // what is written, before it is transformed
    } else {
      return { schema: inner, description, fallback, required };
    }
  }
}

/** The options of a union that can hold `value`: by the discriminator's value, else by the keys it has. */
function fitting(schema: Schema, value: unknown): readonly Schema[] {
  const { schema: inner } = peel(schema);
  if (!(inner instanceof z.ZodUnion)) return [inner];
  const sections = inner.options.find((option) => option instanceof z.ZodDiscriminatedUnion);
  if (sections !== undefined && typeof value === 'object' && value !== null) return fitting(sections, value);
  const options = inner.options.flatMap((option) => fitting(option, value));
  if (typeof value !== 'object' || value === null) return options;
  const exact = options.filter((option) => z.safeParse(option, value).success);
  if (exact.length > 0) return exact;
  if (inner instanceof z.ZodDiscriminatedUnion) {
    const key = inner.def.discriminator;
    const named: unknown = Reflect.get(value, key);
    const chosen = options.filter((option) => {
      const field = option instanceof z.ZodObject ? option.shape[key] : undefined;
      return field !== undefined && z.safeParse(field, named).success;
    });
    return chosen.length > 0 ? chosen : options;
  }
  // A union of plain objects: the one whose first key is there, as the first key is what sets it apart.
  const begun = options.filter((option) => {
    const first = option instanceof z.ZodObject ? Object.keys(option.shape)[0] : undefined;
    return first !== undefined && Object.hasOwn(value, first);
  });
  return begun.length > 0 ? begun.slice(0, 1) : options;
}

/** The schemas that could stand at `path`, given the value that holds it. */
export function schemasAt(root: Schema, value: unknown, path: readonly Key[]): readonly Schema[] {
  const [key, ...rest] = path;
  const options = fitting(root, value);
  if (key === undefined) return options;
  const below =
    typeof value === 'object' && value !== null ? (Reflect.get(value, key) as unknown) : undefined;
  return options.flatMap((option) => {
    const list = option instanceof z.ZodArray ? option.element : undefined;
    const field = option instanceof z.ZodObject ? option.shape[String(key)] : list;
    return field === undefined ? [] : schemasAt(field, below, rest);
  });
}

/** The keys that an object at `path` may have. */
export function keysAt(root: Schema, value: unknown, path: readonly Key[]): readonly string[] {
  const schemas = schemasAt(root, value, path);
  return [...new Set(schemas.flatMap((s) => (s instanceof z.ZodObject ? Object.keys(s.shape) : [])))];
}

/** The words a schema takes, if it takes nothing but some words. */
export function choicesOf(schema: Schema): readonly string[] {
  const { schema: inner } = peel(schema);
  if (inner instanceof z.ZodEnum) return inner.options.map(String);
  return inner instanceof z.ZodLiteral ? [...inner.def.values].map(String) : [];
}

/** What a schema takes, in words: `a positive whole number`, `one of elman, gru, lstm`. */
export function expectation(schema: Schema): string {
  const { schema: inner } = peel(schema);
  if (inner instanceof z.ZodEnum) return `one of ${inner.options.join(', ')}`;
  if (inner instanceof z.ZodLiteral) return String(inner.def.values[0]);
  if (inner instanceof z.ZodBoolean) return 'true or false';
  if (inner instanceof z.ZodArray) return `a list, each ${expectation(inner.element)}`;
  if (inner instanceof z.ZodString) return 'a text';
  if (inner instanceof z.ZodNumber) return numberExpectation(inner);
  if (inner instanceof z.ZodArray) return 'a list of texts';
  if (inner instanceof z.ZodDiscriminatedUnion) {
    const key = inner.def.discriminator;
    const kinds = inner.options.flatMap((o) =>
      o instanceof z.ZodObject && o.shape[key] ? [o.shape[key]] : [],
    );
    return `a section with ${key}: ${kinds.map(expectation).join(', ')}`;
  }
  const shapes = inner instanceof z.ZodUnion ? inner.options : [inner];
  const sections = shapes.flatMap((shape) => {
    if (!(shape instanceof z.ZodObject)) return [];
    const required = Object.keys(shape.shape).filter((key) => peel(shape.shape[key]).required);
    return [required.join(' and ')];
  });
  const list = sections.filter((text) => text !== '').join(', or with ');
  return list === '' ? 'a section' : `a section with ${list}`;
}

function numberExpectation(schema: z.ZodNumber): string {
  const bounds: string[] = [];
  let noun = schema.isInt ? 'a whole number' : 'a number';
  for (const check of schema.def.checks ?? []) {
    const { def } = check._zod;
    if (def.check === 'greater_than') {
      const { value, inclusive } = def as z.core.$ZodCheckGreaterThanDef;
      if (!inclusive && value === 0) noun = noun.replace('a ', 'a positive ');
      else bounds.push(inclusive ? `at least ${value}` : `above ${value}`);
    } else if (def.check === 'less_than') {
      const { value, inclusive } = def as z.core.$ZodCheckLessThanDef;
      bounds.push(inclusive ? `at most ${value}` : `below ${value}`);
    }
  }
  return [noun, bounds.join(' and ')].filter((part) => part !== '').join(', ');
}

/** One key of the configuration, for the documentation. */
export interface ConfigField {
  /** `train.batch.size`; a union's alternative in brackets: `text.source (word).lowercase`. */
  readonly path: string;
  readonly expects: string;
  /** As YAML; absent where the key must be given or where its absence has a meaning of its own. */
  readonly fallback: string | undefined;
  readonly required: boolean;
  readonly description: string;
}

/** The shapes that a corpus can have. */
function shapeName(option: Schema): string {
  const keys = option instanceof z.ZodObject ? Object.keys(option.shape) : [];
  if (keys.includes('file')) return 'one file';
  return keys.includes('source') ? 'two files' : 'lines';
}

/** Every key that a schema takes, depth first, in its order; what was shown at another key already is not repeated. */
export function configFields(schema: Schema, path = '', seen = new Map<Schema, string>()): ConfigField[] {
  const { schema: inner, description, fallback, required } = peel(schema);
  if (inner instanceof z.ZodUnion) {
    const key = inner instanceof z.ZodDiscriminatedUnion ? inner.def.discriminator : undefined;
    const [word, section] = inner.options;
    if (word instanceof z.ZodEnum && section !== undefined) {
      const shown = fallback === undefined ? undefined : String(fallback);
      const before = seen.get(section);
      seen.set(section, before ?? path);
      const expects = before === undefined ? expectation(word) : `as \`${before}\``;
      const row: ConfigField = { path, expects, fallback: shown, required, description: description ?? '' };
      return before === undefined ? [row, ...configFields(section, path, seen)] : [row];
    }
    return inner.options.flatMap((option) => {
      const field = key !== undefined && option instanceof z.ZodObject ? option.shape[key] : undefined;
      const name = field === undefined ? shapeName(option) : expectation(field);
      return configFields(option, `${path} (${name})`, seen);
    });
  }
  if (inner instanceof z.ZodObject) {
    return Object.entries(inner.shape).flatMap(([key, field]) =>
      configFields(field, path === '' ? key : `${path}.${key}`, seen),
    );
  }
  const shown = Array.isArray(fallback)
    ? JSON.stringify(fallback)
    : fallback === undefined
      ? undefined
      : String(fallback);
  return [{ path, expects: expectation(inner), fallback: shown, required, description: description ?? '' }];
}
