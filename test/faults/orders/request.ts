/** A request as a command of the services, and its answer as whoever sent it may rely on it. */
import type { CommandCall, Principal, ServiceCaller } from '@bivouac/events/language';
import {
  CancelOperation,
  OperationOrderSchema,
  ResolveOperation,
  RetryOperation,
  StartOperation,
} from '@bivouac/provisioning/api';

import type { Answer, Caller, Request } from './messages.ts';

/** Sends it under a key. */
export async function request(
  services: Pick<ServiceCaller, 'command'>,
  caller: Caller,
  asked: Request,
  idempotencyKey: string,
): Promise<Answer> {
  const call = { principal: principalOf(caller), idempotencyKey };
  const reply = await send(services, asked, call);
  if (!reply.ok) {
    const { code, retryable } = reply.refusal;
    return { ok: false, code, retryable: retryable === true };
  }
  return {
    ok: true,
    stream: reply.stream,
    revision: reply.revision.toString(),
    position: reply.position ?? null,
    repeated: reply.repeated,
    result: reply.result,
  };
}

function send(services: Pick<ServiceCaller, 'command'>, asked: Request, call: CommandCall) {
  switch (asked.type) {
    case 'cancel':
      return services.command(CancelOperation, { operationId: asked.operationId }, call);
    case 'retry':
    case 'resolve': {
      const act = asked.type === 'retry' ? RetryOperation : ResolveOperation;
      const input = { operationId: asked.operationId, reason: 'the nodes are sound again' };
      return services.command(act, input, call);
    }
    case 'order': {
      const { tenantId, homeId } = asked;
      const order = OperationOrderSchema.parse(asked.order);
      return services.command(StartOperation, { order, tenantId, homeId }, call);
    }
  }
}

function principalOf({ id, tenantId, homeId, staff }: Caller): Principal {
  return {
    id,
    kind: 'key',
    tenantId,
    homeId,
    reach: staff ? 'all' : new Set([tenantId]),
    rights: 'all',
    audience: staff ? 'staff' : 'customer',
  };
}
