/** Looking into the trail of others, as a fact: one stream per look, decided once. */
import { AccessRecorded } from '@bivouac/events/audit';
import { accept, type Audience, type Decision, type EventOf } from '@bivouac/events/language';

type Recorded = ReturnType<typeof AccessRecorded>;

export interface Access {
  readonly recorded: boolean;
}

/** What is about to be looked at, and by whom. */
export interface Look {
  readonly what: Recorded['data']['what'];
  readonly digest: string;
  readonly by: string;
  readonly audience: Audience;
  readonly reason?: string | undefined;
}

export const noAccess = (): Access => ({ recorded: false });

export const evolveAccess = (_state: Access, _event: EventOf<typeof AccessRecorded>): Access => ({
  recorded: true,
});

/** A look is recorded once: the same again has been recorded already. */
export function recordAccess(state: Access, look: Look): Decision {
  if (state.recorded) return accept();
  const { reason, ...rest } = look;
  return accept(AccessRecorded({ ...rest, ...(reason !== undefined && { reason }) }));
}

/** A member's looking, and of one who reaches what is others', is recorded; a tenant's is its own. */
export function isRecorded({
  kind,
  audience,
}: {
  readonly kind: string;
  readonly audience: Audience;
}): boolean {
  const person = kind === 'member' || kind === 'key';
  return person && (audience === 'staff' || audience === 'auditor');
}
