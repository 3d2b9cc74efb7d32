/** One page of an object's event history, as every owning service answers it. */
import { z } from 'zod';

import { PageArgsSchema } from '../language/index.ts';
import { InstantSchema } from '../values/index.ts';

/** How a history is paged: the cursor is the event's revision, as decimal text. */
export const HistoryArgsSchema = PageArgsSchema;

export const HistoryPageSchema = z.object({
  items: z.array(
    z.object({
      cursor: z.string(),
      eventId: z.string(),
      /** Stable type name, e.g. `containers.ContainerRunning`. */
      type: z.string(),
      time: InstantSchema,
      /** Lasting pseudonym of who caused it. */
      actorId: z.string(),
      /** The fields the viewer's audience may see. */
      data: z.record(z.string(), z.unknown()),
    }),
  ),
  /** Nothing lies beyond this page in the direction read. */
  end: z.boolean(),
});
export type HistoryPage = z.output<typeof HistoryPageSchema>;
