/**
 * What a command is about, so that commands on one stream come to one replica, which has its state
 * and lets them share an append. For speed only: any replica gives the same answer.
 */
import type { CommandContract, Principal } from '@bivouac/events/language';

/** Fields that name whose or what it is, the wider before the narrower. */
const SUBJECTS = ['homeId', 'accountId', 'containerId', 'operationId'];

/** The contract's own word; else the subject its input names; else the home of who gives it. */
export function routingKey(
  contract: Pick<CommandContract, 'routeFor'>,
  input: unknown,
  { homeId }: Principal,
): string {
  // It was not parsed yet: the service will say what is wrong with it.
  if (typeof input !== 'object' || input === null) return homeId;
  const own: unknown = contract.routeFor(input);
  if (typeof own === 'string') return own;
  const fields = new Map<string, unknown>(Object.entries(input));
  for (const name of [...SUBJECTS, ...fields.keys()]) {
    const value = fields.get(name);
    if (name.endsWith('Id') && typeof value === 'string') return value;
  }
  return homeId;
}
