/**
 * Starting an operation on a container or for an account: what every mutation that orders one uses,
 * whichever context it belongs to.
 */
import { StartOperation } from '@bivouac/provisioning/api';
import type { z } from 'zod';

import { accountById } from '../accounts/account.ts';
import { containerById } from '../containers/container.ts';
import { notFound, type UserErrorValue, validationFailed } from '../errors/user-error.ts';
import { builder } from '../language/builder.ts';
import { type Answer, type Payload, PayloadRef } from '../language/mutation.ts';
import { idProblem } from '../language/node.ts';
import type { Services } from '../request/services.ts';
import { operationById, OperationRef } from './operation.ts';

interface OperationPayload extends Payload {
  readonly operationId: string;
}

/** The payload of every mutation that starts (or stops) an operation. */
export const OperationAccepted = builder
  .objectRef<OperationPayload>('OperationAccepted')
  .implement({
    description:
      'The operation is recorded and goes on by itself, whatever becomes of this process.',
    interfaces: [PayloadRef],
    fields: (t) => ({
      operationId: t.exposeID('operationId', { description: 'The operation, `op_…`.' }),
      operation: t.field({
        type: OperationRef,
        nullable: true,
        description: 'The operation as it is now.',
        resolve: ({ operationId }, _args, { services }) => operationById(services, operationId),
      }),
    }),
  });

type Order = z.input<typeof StartOperation.input>['order'];
type Started = z.output<typeof StartOperation.result>;

/** Whose the operation is. */
export interface Owner {
  readonly tenantId: string;
  readonly homeId: string;
}

/** Starts what `order` makes of the owner, or answers the error that stands in its place. */
export function start(
  services: Services,
  owner: Owner | UserErrorValue,
  key: string,
  order: (owner: Owner) => Order,
): Promise<Answer<Started>> {
  if ('__typename' in owner) return Promise.resolve(owner);
  const { tenantId, homeId } = owner;
  return services.command(StartOperation, { order: order(owner), tenantId, homeId }, key);
}

/** The tenant of a container, or the error that says why it cannot be named. */
export async function ownerOf(
  services: Services,
  containerId: string,
): Promise<Owner | UserErrorValue> {
  const path = ['input', 'containerId'];
  const problem = idProblem('container', containerId);
  if (problem !== undefined) return validationFailed(path, `The containerId: ${problem}.`);
  return (await containerById(services, containerId)) ?? notFound(path, 'container');
}

/** The tenant of an account that an input field names, or the error that says why it cannot be. */
export async function accountOf(
  services: Services,
  field: string,
  accountId: string,
): Promise<Owner | UserErrorValue> {
  const path = ['input', field];
  const problem = idProblem('tenant', accountId);
  if (problem !== undefined) return validationFailed(path, `The ${field}: ${problem}.`);
  const account = await accountById(services, accountId);
  return account === null
    ? notFound(path, 'account')
    : { tenantId: account.id, homeId: account.homeId };
}

/** What a mutation's `payload` makes of a started operation. */
export const accepted = ({ operationId }: { readonly operationId: string }) => ({ operationId });
