/** What a test asks of a process that has keys, secrets or blobs open, as it goes over the wire. */
import { PurposeSchema, SealedSchema } from '@bivouac/events/language';
import { z } from 'zod';

const base64 = z.base64();
const purposes = z.array(PurposeSchema);

/** One call. Bytes are base64; `open…` begins anew with a folder, as a start would. */
export const CallSchema = z.discriminatedUnion('do', [
  z.object({ do: z.literal('openKeys'), folder: z.string(), remember: z.number().optional() }),
  z.object({
    do: z.literal('seal'),
    ...{ person: z.string(), purpose: PurposeSchema, clear: z.string() },
  }),
  z.object({ do: z.literal('open'), sealed: SealedSchema }),
  z.object({ do: z.literal('hmac'), owner: z.string(), bytes: base64 }),
  z.object({ do: z.literal('erase'), person: z.string(), purposes }),
  z.object({ do: z.literal('forget'), person: z.string(), purposes }),
  z.object({ do: z.literal('closeKeys') }),
  z.object({ do: z.literal('openSecrets'), folder: z.string() }),
  z.object({ do: z.literal('put'), reference: z.string(), clear: z.string() }),
  z.object({ do: z.literal('get'), reference: z.string() }),
  z.object({ do: z.literal('destroy'), reference: z.string() }),
  z.object({ do: z.literal('closeSecrets') }),
  z.object({ do: z.literal('openBlobs'), folder: z.string() }),
  z.object({ do: z.literal('putBlob'), content: base64 }),
  z.object({ do: z.literal('getBlob'), digest: z.string() }),
]);
export type Call = z.infer<typeof CallSchema>;

export const RequestSchema = z.object({ id: z.number(), call: CallSchema });

export const AnswerSchema = z.object({
  id: z.number(),
  value: z.unknown().optional(),
  error: z.object({ code: z.string().optional(), message: z.string() }).optional(),
});
