/**
 * A reply's result as its contract says. Services are rolled out before what calls them, so a newer one
 * may answer with fields that are unknown here: those are dropped, anything else is a defect.
 */
import { type CommandContract, parseKnown, type QueryContract } from '@bivouac/events/language';
import type { z } from 'zod';

import { RuntimeError } from '../runtime/errors.ts';

/** Throws a RuntimeError `defect` for what does not fit. */
export function resultOf<R extends z.ZodType>(
  contract: CommandContract<z.ZodType, R> | QueryContract<z.ZodType, R>,
  result: unknown,
): z.output<R> {
  const parsed = parseKnown(contract.result, result);
  if (parsed.success) return parsed.data;
  throw new RuntimeError(
    'defect',
    `${contract.name} was answered with what does not fit its contract: ${parsed.error.message}`,
  );
}
