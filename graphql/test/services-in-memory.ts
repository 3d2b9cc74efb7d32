/**
 * The services for the gateway's tests: contracts answered from memory. Inputs are parsed and
 * results held against the contracts, so that the gateway cannot be tested on what no service says.
 */
import {
  AccountById,
  Accounts,
  type AccountView,
  Authenticate,
  NoteApiKeyUse,
} from '@bivouac/accounts/api';
import { ContainerById, Containers, type ContainerView } from '@bivouac/containers/api';
import { hashApiKey, rightsOf, writeApiKey } from '@bivouac/events/accounts';
import {
  accessRefusal,
  type CommandContract,
  type CommandReply,
  formatPosition,
  type Principal,
  type QueryContract,
  type QueryReply,
  type Refusal,
  rightRefusal,
  type ServiceCaller,
} from '@bivouac/events/language';
import { deriveId } from '@bivouac/events/values';
import { OperationById, type OperationView } from '@bivouac/provisioning/api';
import type { z } from 'zod';

export interface Call {
  readonly name: string;
  readonly input: unknown;
  readonly principal: Principal;
  readonly idempotencyKey?: string;
  readonly correlationId?: string | undefined;
  readonly atLeast?: string | undefined;
}

type Answer = unknown;

/** Refuses instead of answering. */
export class Refused {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    this.refusal = refusal;
  }
}

export function refused(
  code: string,
  message = 'It is refused.',
  more: Omit<Refusal, 'code' | 'message'> = {},
): Refused {
  return new Refused({ code, message, ...more });
}

interface Page {
  readonly limit: number;
  readonly reverse: boolean;
  readonly after?: string | undefined;
  readonly before?: string | undefined;
}

/** A page of a list whose cursors are the items' positions, in list order. */
export function pageOf<T extends { readonly position: string }>(all: readonly T[], page: Page) {
  const inside = all.filter(
    ({ position }) =>
      (page.after === undefined || position > page.after) &&
      (page.before === undefined || position < page.before),
  );
  const nodes = page.reverse ? inside.slice(-page.limit) : inside.slice(0, page.limit);
  const more = inside.length > page.limit;
  return {
    items: nodes.map((node) => ({ cursor: node.position, node })),
    hasNext: page.reverse ? page.before !== undefined : more,
    hasPrevious: page.reverse ? more : page.after !== undefined,
  };
}

class ServicesInMemory implements ServiceCaller {
  readonly calls: Call[] = [];
  readonly #queries = new Map<string, (input: never, call: Call) => Answer>();
  readonly #commands = new Map<string, (input: never, call: Call) => Answer>();
  #position = 100n;

  /** Answers a query; a {@link Refused} refuses it, an error is thrown. */
  onQuery<I extends z.ZodType, R extends z.ZodType>(
    contract: QueryContract<I, R>,
    answer: (input: z.output<I>, call: Call) => z.input<R> | Refused | Promise<z.input<R>>,
  ): this {
    this.#queries.set(contract.name, answer);
    return this;
  }

  onCommand<I extends z.ZodType, R extends z.ZodType>(
    contract: CommandContract<I, R>,
    answer: (input: z.output<I>, call: Call) => z.input<R> | Refused,
  ): this {
    this.#commands.set(contract.name, answer);
    return this;
  }

  /** The calls of one contract, without those of authentication. */
  of(contract: { readonly name: string }): readonly Call[] {
    return this.calls.filter((call) => call.name === contract.name);
  }

  async query<I extends z.ZodType, R extends z.ZodType>(
    contract: QueryContract<I, R>,
    input: z.input<I>,
    call: { readonly principal: Principal; readonly atLeast?: string | undefined },
  ): Promise<QueryReply<z.output<R>>> {
    const made: Call = { name: contract.name, input, ...call };
    this.calls.push(made);
    const done = await run(contract, this.#queries, input, made);
    return done instanceof Refused
      ? { ok: false, refusal: done.refusal }
      : { ok: true, result: done, position: formatPosition(this.#position) };
  }

  async command<I extends z.ZodType, R extends z.ZodType>(
    contract: CommandContract<I, R>,
    input: z.input<I>,
    call: { readonly principal: Principal; readonly idempotencyKey: string },
  ): Promise<CommandReply<z.output<R>>> {
    const made: Call = { name: contract.name, input, ...call };
    this.calls.push(made);
    const done = await run(contract, this.#commands, input, made);
    if (done instanceof Refused) return { ok: false, refusal: done.refusal };
    this.#position += 1n;
    return {
      ok: true,
      result: done,
      stream: 'test-stream',
      revision: 0n,
      position: formatPosition(this.#position),
      repeated: false,
    };
  }
}

async function run<I extends z.ZodType, R extends z.ZodType>(
  contract: CommandContract<I, R> | QueryContract<I, R>,
  answers: ReadonlyMap<string, (input: never, call: Call) => Answer>,
  input: unknown,
  call: Call,
): Promise<z.output<R> | Refused> {
  const answer = answers.get(contract.name);
  if (answer === undefined) throw new Error(`the test answers no ${contract.name}`);
  const denied = accessRefusal(contract, call.principal);
  if (denied !== undefined) return new Refused(denied);
  const parsed = contract.input.safeParse(input);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => ({
      path: issue.path.map(String),
      message: issue.message,
    }));
    const path = problems[0]?.path ?? [];
    return refused('INVALID_INPUT', `The field ${path.join('.')} is not accepted.`, {
      path,
      details: { problems },
    });
  }
  const notHis = rightRefusal(contract, call.principal, parsed.data);
  if (notHis !== undefined) return new Refused(notHis);
  const made = await answer(parsed.data as never, call);
  if (made instanceof Refused) return made;
  return contract.result.parse(made);
}

// --- a small world ------------------------------------------------------------------------------

const at = '2026-04-10T09:00:00.000Z';
const digest = 'a'.repeat(64);

function accountNamed(name: string, n: number, more: Partial<AccountView> = {}): AccountView {
  const id = deriveId('tenant', name);
  return {
    id,
    homeId: id,
    parentId: null,
    kind: 'customer',
    name,
    contact: null,
    holds: [],
    closed: false,
    createdAt: at,
    position: formatPosition(BigInt(n)),
    ...more,
  };
}

function containerOf(
  account: AccountView,
  hostname: string,
  n: number,
  more: Partial<ContainerView> = {},
): ContainerView {
  const price = (amount: string) => ({ amount, currency: 'EUR' });
  const limits = {
    cpuMillis: 1000,
    memoryBytes: '1073741824',
    diskBytes: '9007199254740993',
    processes: 200,
    cpuUnits: 1000,
  };
  return {
    id: deriveId('container', hostname),
    tenantId: account.id,
    homeId: account.homeId,
    hostname,
    lifecycle: 'running',
    operation: { operationId: deriveId('operation', hostname), ask: null },
    holds: [],
    possible: ['stop', 'rename'],
    observed: { state: 'running', generation: 1, at },
    plan: {
      planId: deriveId('plan', '1000'),
      code: '1000',
      name: 'VPS 1000',
      source: { stream: `plan-${deriveId('plan', '1000')}`, revision: '0' },
      limits,
      includedAddresses: 1,
      monthly: price('20.00'),
      setup: price('10.00'),
      extraAddressMonthly: price('2.00'),
    },
    limits,
    image: { imageId: deriveId('image', 'skel'), name: 'skel', digest, inventory: digest },
    addresses: [
      {
        leaseId: deriveId('lease', hostname),
        rangeId: deriveId('range', 'r'),
        address: '192.0.2.10',
        family: 'ipv4',
      },
    ],
    location: 'fra1',
    node: null,
    generation: 1,
    runningSince: at,
    softDeletedAt: null,
    restoreUntil: null,
    createdAt: at,
    endedAt: null,
    position: formatPosition(BigInt(n)),
    ...more,
  };
}

function operationOn(container: ContainerView, more: Partial<OperationView> = {}) {
  const operation: OperationView = {
    id: deriveId('operation', container.hostname),
    kind: 'provision',
    tenantId: container.tenantId,
    status: 'running',
    progress: 40,
    steps: [
      {
        name: 'reserve',
        ask: 'quotas.reserve',
        attempt: 1,
        status: 'done',
        askedAt: at,
        deadline: at,
        endedAt: at,
        refusal: null,
        pivot: null,
      },
    ],
    parentId: null,
    plannedSteps: 5,
    cancellable: true,
    attentionSince: null,
    interventions: [],
    leftovers: [],
    overdueReservationIds: [],
    children: null,
    target: { type: 'container', id: container.id },
    error: null,
    invoiceId: null,
    createdAt: at,
    endedAt: null,
    position: container.position,
    ...more,
  };
  return operation;
}

/** A provider, two customers that do not reach each other, containers of both, a key for each. */
export function world() {
  const provider = accountNamed('Provider', 1, { kind: 'provider' });
  const alpha = accountNamed('Alpha', 2);
  const beta = accountNamed('Beta', 3);
  const accounts = [provider, alpha, beta];
  const containers = [
    ...Array.from({ length: 25 }, (_, i) => containerOf(alpha, `a${i}.example.com`, 1000 + i)),
    containerOf(beta, 'b0.example.com', 2000),
  ];
  const operations = containers.map((container) => operationOn(container));
  const services = new ServicesInMemory();
  const keyOf = (name: string): string =>
    writeApiKey(deriveId('apiKey', name), Buffer.alloc(32, name));
  const members = new Map(
    accounts.map((account) => [
      hashApiKey(keyOf(account.name)),
      { account, keyId: deriveId('apiKey', account.name) },
    ]),
  );
  const revoked = new Set<string>();
  const reaches = (call: Call, tenantId: string): boolean =>
    call.principal.reach === 'all' || call.principal.reach.has(tenantId);

  services
    .onQuery(Authenticate, ({ keyHash }) => {
      const found = members.get(keyHash);
      if (found === undefined || revoked.has(found.account.name)) {
        return refused('KEY_UNKNOWN', 'This API key is not known.');
      }
      const staff = found.account.kind === 'provider';
      return {
        keyId: found.keyId,
        memberId: deriveId('member', found.account.name),
        personId: deriveId('person', found.account.name),
        tenantId: found.account.id,
        homeId: found.account.homeId,
        kind: found.account.kind,
        role: staff ? ('staff' as const) : ('owner' as const),
        audience: staff ? ('staff' as const) : ('customer' as const),
        reach: staff ? ('all' as const) : [found.account.id],
        rights: [...rightsOf(staff ? 'staff' : 'owner', found.account.kind)],
        expiresAt: null,
        acting: null,
      };
    })
    .onCommand(NoteApiKeyUse, ({ keyId }) => ({ keyId }))
    .onQuery(AccountById, ({ tenantId }, call) =>
      reaches(call, tenantId) ? (accounts.find(({ id }) => id === tenantId) ?? null) : null,
    )
    .onQuery(Accounts, ({ page }, call) =>
      pageOf(
        accounts.filter(({ id }) => reaches(call, id)),
        page,
      ),
    )
    .onQuery(ContainerById, ({ containerId }, call) => {
      const found = containers.find(({ id }) => id === containerId);
      return found !== undefined && reaches(call, found.tenantId) ? found : null;
    })
    .onQuery(Containers, ({ page, tenantId }, call) =>
      pageOf(
        containers.filter(
          (container) =>
            reaches(call, container.tenantId) &&
            (tenantId === undefined || container.tenantId === tenantId),
        ),
        page,
      ),
    )
    .onQuery(OperationById, ({ operationId }, call) => {
      const found = operations.find(({ id }) => id === operationId);
      return found !== undefined && reaches(call, found.tenantId) ? found : null;
    });

  return { services, provider, alpha, beta, containers, operations, keyOf, revoked };
}
