/** What audit records of itself: whoever looks into others' history leaves a trace in the same log. */
import { AudienceSchema, customer, event, staff } from '../language/index.ts';
import { z } from 'zod';

/** What was looked for. Ids and type names only: nothing personal. */
export const AccessFilterSchema = z.strictObject({
  /** A stream: the history of one object. */
  object: z.string().min(1).max(512).optional(),
  actor: z.string().min(1).max(512).optional(),
  /** A home: the history of a whole tree. */
  home: z.string().min(1).max(512).optional(),
  types: z.array(z.string().min(1).max(200)).max(50).optional(),
  from: z.string().max(30).optional(),
  to: z.string().max(30).optional(),
  afterPosition: z.string().max(20).optional(),
  upToPosition: z.string().max(20).optional(),
});

/**
 * Someone with a right to see others' history asked for some of it; recorded before the answer was
 * given. `by` is the member behind the key, where a key asked; the key itself is the event's actor.
 */
export const AccessRecorded = event(
  'audit.AccessRecorded',
  z.strictObject({
    what: staff(AccessFilterSchema),
    /** SHA-256 of the query's name and all its arguments, canonical, hexadecimal. */
    digest: staff(z.string().regex(/^[0-9a-f]{64}$/)),
    by: customer(z.string().min(1).max(512)),
    audience: customer(AudienceSchema),
    reason: customer(z.string().min(1).max(500)).optional(),
  }),
);

/** Every event type of audit. */
export const auditEvents = [AccessRecorded] as const;
