/** How billing's lists are asked for and answered. */
import { z } from 'zod';

export const PageArgsSchema = z.strictObject({
  after: z.string().max(500).optional(),
  before: z.string().max(500).optional(),
  limit: z.number().int().min(1).max(100),
  reverse: z.boolean().default(false),
});

/** A page of nodes with their cursors. */
export function connectionOf<N extends z.ZodType>(node: N) {
  return z.object({
    items: z.array(z.object({ cursor: z.string(), node })),
    hasNext: z.boolean(),
    hasPrevious: z.boolean(),
  });
}
