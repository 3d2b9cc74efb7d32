/** 64-bit integers: decimal strings on the wire, bigint in code. */
import { z } from 'zod';

/** A non-negative 64-bit integer on the wire, e.g. a number of bytes. */
export const UInt64Schema = z.string().regex(/^(0|[1-9]\d{0,18})$/, {
  error: 'expected a whole number, not negative, as a decimal string',
});
