/** What a policy's own command must not be refused: the home waits for someone to look. */
import type { CommandReply } from '@bivouac/events/language';
import { RuntimeError } from '@bivouac/infra/runtime';

/** Passes over a command that was done; a refusal is a defect, since the facts are recorded already. */
export function accepted(reply: CommandReply<unknown>): void {
  if (reply.ok) return;
  const { code, message } = reply.refusal;
  throw new RuntimeError(
    'defect',
    `packages could not follow a recorded fact: ${code}: ${message}`,
  );
}
