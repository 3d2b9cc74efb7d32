/** How every list is asked for and answered: pages by opaque cursors, in both directions. */
import { z } from 'zod';

/** With `reverse` a list is read from its end (or from `before`) backwards; items keep their order. */
export const PageArgsSchema = z.strictObject({
  after: z.string().max(500).optional(),
  before: z.string().max(500).optional(),
  limit: z.number().int().min(1).max(100),
  reverse: z.boolean().default(false),
});
export type PageArgs = z.output<typeof PageArgsSchema>;

/** A page of nodes with their cursors. */
export function pageSchema<N extends z.ZodType>(node: N) {
  return z.object({
    items: z.array(z.object({ cursor: z.string(), node })),
    hasNext: z.boolean(),
    hasPrevious: z.boolean(),
  });
}
