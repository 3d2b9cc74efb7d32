/**
 * A reply's result as its contract says. Services are rolled out before what calls them, so a newer one
 * may answer with fields that are unknown here: those are dropped, anything else is a defect.
 */
import type { CommandContract, QueryContract } from '@bivouac/events/language';
import type { z } from 'zod';

import { RuntimeError } from '../runtime/errors.ts';

/** Throws a RuntimeError `defect` for what does not fit. */
export function resultOf<R extends z.ZodType>(
  contract: CommandContract<z.ZodType, R> | QueryContract<z.ZodType, R>,
  result: unknown,
): z.output<R> {
  const parsed = contract.result.safeParse(result);
  if (parsed.success) return parsed.data;
  const known = without(result, parsed.error);
  const again = known === undefined ? undefined : contract.result.safeParse(known);
  if (again?.success === true) return again.data;
  throw new RuntimeError(
    'defect',
    `${contract.name} was answered with what does not fit its contract: ${(again ?? parsed).error?.message ?? ''}`,
  );
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
