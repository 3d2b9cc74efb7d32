/** Bugs of whoever names commands, as callers that are told apart badly. */
import { PROVIDER_ID } from '@bivouac/events/accounts';
import type { CommandCall } from '@bivouac/events/language';

import type { Plant } from '../system.ts';

/** A command's key does not say whose it is: two customers that choose the same key are one. */
export const crossTenantKey: Plant = {
  caller: (caller) => ({
    query: (contract, input, call) => caller.query(contract, input, call),
    command: (contract, input, call) => caller.command(contract, input, anybodys(call)),
  }),
};

/** A key is not remembered: whatever a customer or the staff send again is a new wish. */
export const noDedupe: Plant = {
  caller: (caller) => {
    let sent = 0;
    return {
      query: (contract, input, call) => caller.query(contract, input, call),
      command: (contract, input, call) => {
        if (call.principal.kind !== 'key') return caller.command(contract, input, call);
        const idempotencyKey = `${call.idempotencyKey} ${++sent}`;
        return caller.command(contract, input, { ...call, idempotencyKey });
      },
    };
  },
};

function anybodys(call: CommandCall): CommandCall {
  return { ...call, principal: { ...call.principal, tenantId: PROVIDER_ID } };
}
