/** What the command of an ask carries besides the ask's own input. */
import { command } from '@bivouac/events/language';
import { AskRefSchema } from '@bivouac/events/operations';
import { idOf, InstantSchema } from '@bivouac/events/values';
import { z } from 'zod';

/** Whose the container is. */
export const owned = { tenantId: idOf('tenant'), homeId: z.string().max(100) };
const asking = { ...owned, ref: AskRefSchema, notAfter: InstantSchema };
type Asking = z.output<z.ZodObject<typeof asking>>;

export function forAsk<S extends z.core.$ZodShape>(name: string, input: z.ZodObject<S>) {
  return command({
    name: `containers.${name}`,
    access: 'internal',
    input: z.strictObject({ ...input.shape, ...asking }),
    result: z.strictObject({}),
  });
}

/** Of what a responder is told of an ask, what its command carries. */
export function carried({ tenantId, homeId, ref, notAfter }: Asking): Asking {
  return { tenantId, homeId, ref, notAfter };
}
