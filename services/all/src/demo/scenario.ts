/**
 * The main job from order to invoice, on an injected clock: plan 1000 ordered on 10 April, a second
 * address on the 15th, suspended and resumed, April closed, terminated, and nothing left over.
 */
import { Leftovers as ChargesLeft } from '@bivouac/billing/api';
import { Leftovers as HeldOnNodes } from '@bivouac/containers/api';
import { parsePosition, type QueryContract } from '@bivouac/events/language';
import { type ManualClock, RuntimeError, systemPrincipal } from '@bivouac/infra/runtime';
import { OperationById, type OperationView } from '@bivouac/provisioning/api';
import { QuotaOf } from '@bivouac/quotas/api';
import { z } from 'zod';

import type { Installation } from '../installation.ts';
import { newKey, seed } from '../seed/seed.ts';
import { GraphqlClient } from './graphql.ts';

export const START = '2026-04-10T09:00:00.000Z';

/** What happened, for people. */
export type Tell = (time: string, text: string) => void;

/** What `npm run demo -- --json` prints. */
export interface DemoReport {
  readonly operation: { readonly id: string; readonly status: string };
  readonly operations: readonly { readonly kind: string; readonly status: string }[];
  readonly container: {
    readonly id: string;
    readonly hostname: string;
    readonly lifecycle: string;
  };
  /** As held while it ran. */
  readonly addresses: readonly string[];
  readonly invoice: z.output<typeof InvoiceSchema>;
  /** Reservations, leases, placements, instances, charges and roster entries that remain. */
  readonly leftovers: number;
  readonly left: Readonly<Record<string, number>>;
  /** Events in the log. */
  readonly events: number;
}

const MoneySchema = z.object({ amount: z.string(), currency: z.string() });
const InvoiceSchema = z.object({
  number: z.string(),
  month: z.string(),
  total: MoneySchema,
  lines: z.array(
    z.object({
      description: z.string(),
      quantity: z.object({ days: z.number(), of: z.number() }),
      unitPrice: MoneySchema,
      amount: MoneySchema,
      causes: z.array(
        z.object({
          eventId: z.string(),
          type: z.string(),
          stream: z.string(),
          revision: z.string(),
          time: z.string(),
        }),
      ),
    }),
  ),
});
const AcceptedSchema = z.object({
  done: z.discriminatedUnion('__typename', [
    z.object({ __typename: z.literal('OperationAccepted'), operationId: z.string() }),
    ...[
      'ValidationFailed',
      'NotFound',
      'NotAllowed',
      'QuotaExceeded',
      'StateConflict',
      'IdempotencyConflict',
      'Contention',
      'Unavailable',
      'RefusedError',
    ].map((name) =>
      z.object({ __typename: z.literal(name), code: z.string(), message: z.string() }),
    ),
  ]),
});
const ContainerSchema = z.object({
  container: z.object({
    id: z.string(),
    hostname: z.string(),
    lifecycle: z.string(),
    addresses: z.array(z.object({ address: z.string() })),
    holds: z.array(z.object({ id: z.string(), kind: z.string() })),
    observed: z.object({ state: z.string() }).nullable(),
    node: z.object({ name: z.string() }).nullable(),
  }),
});

/** How long an operation may take by the wall, in milliseconds: a real engine needs seconds. */
const PATIENCE = 180_000;

/** Plays the scenario on a fresh installation whose clock stands at {@link START}. */
export async function play(
  installation: Installation,
  clock: ManualClock,
  tell: Tell,
): Promise<DemoReport> {
  const { host, provider, gateway, nodes, store } = installation;
  const say = (text: string): void => {
    tell(new Date(clock.now()).toISOString(), text);
  };
  const seeded = await seed(host, provider);
  const owner = new GraphqlClient(
    gateway,
    await newKey(host, seeded.customer, seeded.ownerMemberId, 'demo', 'owner'),
  );
  const staff = new GraphqlClient(
    gateway,
    await newKey(host, seeded.provider, seeded.staffMemberId, 'demo', 'staff'),
  );
  await host.settled();
  say('Demo Customer is ready to order: plans Basic, 1000 and 2000, image skel, one node.');

  const operations: OperationView[] = [];
  const order = async (
    who: GraphqlClient,
    mutation: string,
    type: string,
    input: object,
  ): Promise<OperationView> => {
    const { done } = await who.send(
      AcceptedSchema,
      `mutation ($key: String!, $input: ${type}!) { done: ${mutation}(idempotencyKey: $key, input: $input) {
        __typename ... on OperationAccepted { operationId } ... on UserError { code message } } }`,
      { key: `demo-${operations.length}`, input },
    );
    if (!('operationId' in done))
      throw new RuntimeError('defect', `${mutation}: ${JSON.stringify(done)}`);
    const ended = await operationEnd(installation, done.operationId);
    operations.push(ended);
    if (ended.status !== 'succeeded') {
      throw new RuntimeError(
        'defect',
        `${mutation} ended as ${ended.status}: ${ended.error?.message ?? ''}`,
      );
    }
    return ended;
  };
  const container = async (id: string) =>
    (
      await staff.send(
        ContainerSchema,
        `query ($id: ID!) { container(id: $id) { id hostname lifecycle addresses { address } holds { id kind } observed { state } node { name } } }`,
        { id },
      )
    ).container;

  const provisioned = await order(owner, 'provisionContainer', 'ProvisionContainerInput', {
    accountId: seeded.customer.tenantId,
    hostname: 'web1.example.com',
    plan: '1000',
    imageId: seeded.imageId,
  });
  const id = provisioned.target.id;
  await host.settled();
  let seen = await container(id);
  say(
    `Ordered plan 1000: ${seen.hostname} runs on ${seen.node?.name ?? '?'} with ${seen.addresses.map((a) => a.address).join(', ')}.`,
  );

  await moveTo(installation, clock, '2026-04-15T12:00:00.000Z');
  await order(owner, 'addAddresses', 'AddAddressesInput', { containerId: id, count: 1 });
  await host.settled();
  seen = await container(id);
  const addresses = seen.addresses.map((a) => a.address);
  say(`Added an address: it answers on ${addresses.join(' and ')}.`);

  await moveTo(installation, clock, '2026-04-20T08:00:00.000Z');
  await order(staff, 'suspendContainer', 'SuspendContainerInput', {
    containerId: id,
    kind: 'ABUSE',
    reason: 'port scan reported',
  });
  await host.settled();
  seen = await container(id);
  const hold = seen.holds[0];
  if (hold === undefined) throw new RuntimeError('defect', 'a suspended container has no hold');
  say(
    `Suspended for abuse: wanted ${seen.lifecycle.toLowerCase()}, the node sees it ${seen.observed?.state.toLowerCase() ?? '?'}. It is charged all the same.`,
  );

  await moveTo(installation, clock, '2026-04-21T08:00:00.000Z');
  await order(staff, 'resumeContainer', 'ResumeContainerInput', {
    containerId: id,
    holdId: hold.id,
  });
  await host.settled();
  seen = await container(id);
  say(`Resumed: the node sees it ${seen.observed?.state.toLowerCase() ?? '?'}.`);

  await moveTo(installation, clock, '2026-05-01T00:05:00.000Z');
  const closed = await order(staff, 'closeMonth', 'CloseMonthInput', {
    accountId: seeded.customer.tenantId,
    month: '2026-04',
  });
  await host.settled();
  const { invoice } = await owner.send(
    z.object({ invoice: InvoiceSchema }),
    `query ($id: ID!) { invoice(id: $id) { number month total { amount currency } lines { description quantity { days of }
      unitPrice { amount currency } amount { amount currency } causes { eventId type stream revision time } } } }`,
    { id: closed.invoiceId },
  );
  say(
    `Closed April: invoice ${invoice.number} over ${invoice.total.amount} ${invoice.total.currency}.`,
  );
  for (const line of invoice.lines) {
    say(
      `  ${line.amount.amount.padStart(7)}  ${line.description} (${line.unitPrice.amount} x ${line.quantity.days}/${line.quantity.of})`,
    );
    for (const cause of line.causes)
      say(`           because of ${cause.type} ${cause.eventId} at ${cause.time}`);
  }

  await order(owner, 'terminateContainer', 'TerminateContainerInput', {
    containerId: id,
    reason: 'not needed any more',
  });
  await host.settled();
  seen = await container(id);
  const left = await whatIsLeft(installation, seeded.customer.tenantId, await nodes.instances());
  const leftovers = Object.values(left).reduce((sum, count) => sum + count, 0);
  say(
    `Terminated: ${seen.lifecycle.toLowerCase()}. Left over: ${leftovers} (${Object.entries(left)
      .map(([what, n]) => `${what} ${n}`)
      .join(', ')}).`,
  );

  const { position } = await store.head();
  return {
    operation: { id: provisioned.id, status: provisioned.status },
    operations: operations.map(({ kind, status }) => ({ kind, status })),
    container: { id, hostname: seen.hostname, lifecycle: seen.lifecycle.toLowerCase() },
    addresses,
    invoice,
    leftovers,
    left,
    events: position === null ? 0 : Number(parsePosition(position)),
  };
}

/** Time passes; what falls due on the way happens. */
async function moveTo(
  installation: Installation,
  clock: ManualClock,
  instant: string,
): Promise<void> {
  clock.moveTo(instant);
  await installation.host.settled();
}

/** Waits for the operation's end: looks whenever the read models have moved. */
export async function operationEnd(
  installation: Installation,
  operationId: string,
): Promise<OperationView> {
  const deadline = AbortSignal.timeout(PATIENCE);
  let moved: () => void = () => undefined;
  const wake = (): void => {
    moved();
  };
  const stop = installation.host.follower.onApplied(wake);
  deadline.addEventListener('abort', wake, { once: true });
  try {
    for (;;) {
      const next = new Promise<void>((resolve) => {
        moved = resolve;
      });
      const found = await ask(installation, OperationById, { operationId });
      if (found !== null && !['running', 'undoing', 'closing'].includes(found.status)) return found;
      if (deadline.aborted) {
        throw new RuntimeError('unavailable', `the operation ${operationId} did not end in time`);
      }
      await next;
    }
  } finally {
    stop();
    deadline.removeEventListener('abort', wake);
  }
}

/** Counts everything that an ended order must have given back. */
async function whatIsLeft(
  installation: Installation,
  tenantId: string,
  instances: number,
): Promise<Record<string, number>> {
  const held = await ask(installation, HeldOnNodes, {});
  const charges = await ask(installation, ChargesLeft, {});
  const quota = await ask(installation, QuotaOf, { tenantId });
  const reserved = quota?.axes.find((axis) => axis.axis === 'containers')?.used ?? '0';
  const addresses = quota?.axes.find((axis) => axis.axis === 'addresses')?.used ?? '0';
  return {
    reservedContainers: Number(reserved),
    reservedAddresses: Number(addresses),
    leases: held.leases,
    placements: held.placements,
    rosterEntries: held.rosterEntries,
    unansweredInstructions: held.unansweredInstructions,
    instances,
    charges: charges.openCharges,
  };
}

async function ask<I extends z.ZodType, R extends z.ZodType>(
  { host, provider }: Installation,
  contract: QueryContract<I, R>,
  input: z.input<I>,
): Promise<z.output<R>> {
  const reply = await host.query(contract, input, {
    principal: systemPrincipal('system:demo', provider.tenantId, provider.homeId),
  });
  if (!reply.ok) throw new RuntimeError('defect', `${contract.name}: ${reply.refusal.message}`);
  return reply.result;
}
