/**
 * What another release has said, as far as it is known here: fields that are unknown are dropped, anything
 * else that does not fit is told. Answers are read so, never what is asked for: who asks for something
 * unknown must hear that it is.
 */
import type { z } from 'zod';

/** Parses a value without the fields that the schema, and every schema in it, does not know. */
export function parseKnown<S extends z.ZodType>(
  schema: S,
  value: unknown,
): z.ZodSafeParseResult<z.output<S>> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed;
  const known = without(value, parsed.error);
  return known === undefined ? parsed : schema.safeParse(known);
}

/** The value without the fields complained about, if it is they alone; undefined otherwise. */
function without(value: unknown, error: z.ZodError): unknown {
  const copy: unknown = structuredClone(value);
  return error.issues.every((issue) => dropped(copy, issue)) ? copy : undefined;
}

function dropped(root: unknown, issue: z.core.$ZodIssue): boolean {
  if (issue.code !== 'unrecognized_keys') return false;
  let at = root;
  for (const step of issue.path) {
    if (typeof at !== 'object' || at === null) return false;
    at = Reflect.get(at, step);
  }
  if (typeof at !== 'object' || at === null) return false;
  for (const key of issue.keys) Reflect.deleteProperty(at, key);
  return true;
}
