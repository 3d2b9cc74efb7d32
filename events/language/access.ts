/**
 * Whether a principal may use a contract at all. Whose things it is about is the loader's business:
 * it denies what the principal does not reach.
 */
import type { CommandContract, Principal, QueryContract } from './api.ts';
import { refuse, type Refusal } from './decision.ts';
import { isOfStaff, mayUse } from './rights.ts';

/**
 * Why a principal may not use a contract, whatever its input; undefined where it may. What is for
 * the staff is not the auditor's to command, but to read.
 */
export function accessRefusal(
  contract: CommandContract | QueryContract,
  principal: Principal,
): Refusal | undefined {
  if (!isPerson(principal) || contract.access === 'tenant') return undefined;
  const { audience } = principal;
  const staff = audience === 'staff' || (audience === 'auditor' && contract.kind === 'query');
  if (contract.access === 'staff' && staff) return undefined;
  const who = contract.access === 'staff' ? "the provider's staff" : 'the services themselves';
  return refuse('NOT_ALLOWED', `${contract.name} is for ${who}; ask the provider's staff.`).refusal;
}

/** Why a principal's role or key does not allow this input; undefined where it does. */
export function rightRefusal(
  contract: CommandContract | QueryContract,
  principal: Principal,
  input: unknown,
): Refusal | undefined {
  if (!isPerson(principal)) return undefined;
  const right = contract.rightFor(input);
  // Only what is internal takes none, and people get no further than `accessRefusal` there.
  if (right === undefined || mayUse(principal.rights, right)) return undefined;
  const remedy = isOfStaff(right)
    ? "which only the provider's staff have; ask them to do it."
    : 'which this key, or the role of its member, does not have; use another key, or ask an owner for a role that has it.';
  return refuse('NOT_ALLOWED', `${contract.name} takes the right ${right}, ${remedy}`, {
    details: { right },
  }).refusal;
}

function isPerson({ kind }: Principal): boolean {
  return kind === 'member' || kind === 'key';
}
