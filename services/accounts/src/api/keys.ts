/** What the outside may have accounts do with API keys. */
import { ApiKeyHashSchema, ScopesSchema } from '@bivouac/events/accounts';
import { command } from '@bivouac/events/language';
import { idOf, InstantSchema } from '@bivouac/events/values';
import { z } from 'zod';

const keyId = idOf('apiKey');
const tenantId = idOf('tenant');
const homeId = idOf('tenant');
const memberId = idOf('member');

/** Longest time, in minutes, in which an earlier secret of a key may still open: 30 days. */
const MAX_OVERLAP = 30 * 24 * 60;

/**
 * An API key for a member. Refused: TENANT_UNKNOWN, TENANT_CLOSED, MEMBER_UNKNOWN,
 * SCOPE_NOT_OF_ROLE, RIGHTS_NOT_HELD (it would open more than the caller may), KEY_EXPIRY_PAST.
 */
export const CreateApiKey = command({
  name: 'accounts.CreateApiKey',
  access: 'tenant',
  right: 'account.manage',
  input: z.strictObject({
    tenantId,
    homeId,
    memberId,
    /** What it is for, e.g. `deploy job`. */
    label: z.string().trim().min(1).max(80),
    expiresAt: InstantSchema.optional(),
    /** What it is confined to; all that the role may unless told. */
    scopes: ScopesSchema.optional(),
  }),
  result: z.strictObject({
    keyId,
    /**
     * The key, in the first reply only: it is stored nowhere. Null in every repeat: where the first
     * reply was lost, revoke this key and create another.
     */
    key: z.string().nullable(),
  }),
});

/**
 * Gives a key a new secret; the earlier one opens on for the overlap. A member's own keys need no
 * right but reading. Refused: KEY_UNKNOWN, KEY_ENDED, KEY_ROTATED_OFTEN, NOT_ALLOWED, RIGHTS_NOT_HELD.
 */
export const RotateApiKey = command({
  name: 'accounts.RotateApiKey',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({
    keyId,
    /** 0 where the earlier secrets are to open nothing any more, at once. */
    overlapMinutes: z.int().min(0).max(MAX_OVERLAP).default(60),
  }),
  result: z.strictObject({
    keyId,
    /** In the first reply only. Null in every repeat: rotate again, the one you have still opens. */
    key: z.string().nullable(),
    /** When the earlier secrets open nothing any more. */
    earlierUntil: InstantSchema,
  }),
});

/** Refused: KEY_UNKNOWN, NOT_ALLOWED. A key revoked before changes nothing. */
export const RevokeApiKey = command({
  name: 'accounts.RevokeApiKey',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ keyId }),
  result: z.strictObject({ keyId }),
});

/** That a key was used today. Recorded once a day however often it is said. Refused: KEY_UNKNOWN. */
export const NoteApiKeyUse = command({
  name: 'accounts.NoteApiKeyUse',
  access: 'internal',
  input: z.strictObject({ keyId }),
  result: z.strictObject({ keyId }),
});

/** The key whose secret the reply to an accepted invitation showed. */
export const CreateFirstKey = command({
  name: 'accounts.CreateFirstKey',
  access: 'internal',
  input: z.strictObject({
    ...{ keyId, tenantId, homeId, memberId },
    personId: idOf('person'),
    hash: ApiKeyHashSchema,
  }),
  result: z.strictObject({ keyId }),
});
