import { z } from 'zod';

// What keys of the configuration hold. Each default stands once, in the section's file of this folder, with its reason;
// the descriptions make docs/configuration.md.

export const count = z.int().positive();
export const rate = z.number().min(0).lt(1);
export const path = z.string().min(1);

type Kinds = z.ZodDiscriminatedUnion<readonly z.ZodObject<{ kind: z.ZodLiteral<string> }>[], 'kind'>;

/** A kind by its name alone, or a section with a kind and options; either way all options are filled in. */
export function kindOrSection<S extends Kinds>(section: S) {
  const kinds = section.options.map(({ shape }) => shape.kind.value) as [z.output<S>['kind']];
  return z
    .union([z.enum(kinds), section])
    .transform((spec): z.output<S> => (typeof spec === 'string' ? section.parse({ kind: spec }) : spec));
}
