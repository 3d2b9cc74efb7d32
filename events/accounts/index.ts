import { actingEvents } from './acting.ts';
import { apiKeyEvents } from './api-key.ts';
import { invitationEvents } from './invitation.ts';
import { memberEvents } from './member.ts';
import { personEvents } from './person.ts';
import { retentionEvents } from './retention.ts';
import { treeEvents } from './tree.ts';

export * from './acting.ts';
export * from './api-key.ts';
export * from './invitation.ts';
export * from './member.ts';
export * from './person.ts';
export * from './retention.ts';
export * from './rights.ts';
export { hashSecret } from './secret-text.ts';
export * from './tree.ts';

/** Every event type of accounts. */
export const accountsEvents = [
  ...treeEvents,
  ...memberEvents,
  ...apiKeyEvents,
  ...personEvents,
  ...retentionEvents,
  ...invitationEvents,
  ...actingEvents,
] as const;
