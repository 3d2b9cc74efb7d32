/**
 * Persons: who is known of a tenant, and their erasure. A person is named with the tenant that has
 * them and as what it has them; `accounts.PersonById` says all of it.
 */
import {
  ErasureGroundSchema,
  PurposesSchema,
  RetainedPurposeSchema,
  RetentionYearsSchema,
} from '@bivouac/events/accounts';
import { command, PurposeSchema, query } from '@bivouac/events/language';
import { HistoryArgsSchema, HistoryPageSchema } from '@bivouac/events/operations';
import { idOf, InstantSchema } from '@bivouac/events/values';
import { z } from 'zod';

/** As what a tenant has a person. */
export const PersonAsSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('member'), memberId: idOf('member') }),
  z.strictObject({ kind: z.literal('contact') }),
]);
export type PersonAs = z.output<typeof PersonAsSchema>;

/**
 * Erases a person for ever: what is sealed for the purposes opens no more, and the keys of an erased
 * contact's member let nobody in. Without `purposes`: all, each as soon as it need not be kept. By
 * the person themselves, by who has `account.manage` there, and by staff with `customers.manage`.
 * Refused: PERSON_UNKNOWN, NOT_ALLOWED, RETENTION_RUNS (for purposes that are named). What is erased
 * stays so: the same again changes nothing.
 */
export const ErasePerson = command({
  name: 'accounts.ErasePerson',
  access: 'tenant',
  // Whoever may read may erase themselves; whom else, the decision says.
  right: 'account.read',
  input: z.strictObject({
    personId: idOf('person'),
    tenantId: idOf('tenant'),
    homeId: idOf('tenant'),
    as: PersonAsSchema,
    purposes: PurposesSchema.optional(),
    reason: ErasureGroundSchema,
  }),
  result: z.strictObject({ personId: idOf('person') }),
});

/** What had to be kept until now. Refused: RETENTION_RUNS. */
export const EraseRetained = command({
  name: 'accounts.EraseRetained',
  access: 'internal',
  input: z.strictObject({ personId: idOf('person'), purpose: PurposeSchema }),
  result: z.strictObject({ personId: idOf('person') }),
});

/** How long the law has something kept, for whoever asks for erasure from then on. */
export const SetRetention = command({
  name: 'accounts.SetRetention',
  access: 'staff',
  right: 'platform.manage',
  input: z.strictObject({ purpose: RetainedPurposeSchema, years: RetentionYearsSchema }),
  result: z.strictObject({ purpose: RetainedPurposeSchema, years: RetentionYearsSchema }),
});

/** How many years each purpose is kept once erasure is asked for. */
export const Retentions = query({
  name: 'accounts.Retentions',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({}),
  result: z.array(z.object({ purpose: PurposeSchema, years: z.int() })),
});

export const PersonViewSchema = z.object({
  id: idOf('person'),
  tenantId: idOf('tenant'),
  homeId: idOf('tenant'),
  as: PersonAsSchema,
  /** For what they are erased, and since when. */
  erased: z.array(z.object({ purpose: PurposeSchema, at: InstantSchema })),
  /** What is to be erased, and from when on it may. */
  scheduled: z.array(z.object({ purpose: PurposeSchema, until: InstantSchema })),
});
export type PersonView = z.output<typeof PersonViewSchema>;

/** One person; null where there is none or their tenant is out of reach. */
export const PersonById = query({
  name: 'accounts.PersonById',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ personId: idOf('person') }),
  result: PersonViewSchema.nullable(),
});

/** What was erased of a person, on whose wish; null when out of reach. */
export const PersonHistory = query({
  name: 'accounts.PersonHistory',
  access: 'tenant',
  right: 'history.read',
  input: z.strictObject({ personId: idOf('person'), page: HistoryArgsSchema }),
  result: HistoryPageSchema.nullable(),
});
