/**
 * The customers and the staff: what they order, in a row that the seed draws, and what they have been
 * answered. They outlive every kill, so that they know what was acknowledged and what has to be sent
 * again.
 */
import { deriveId } from '@bivouac/events/values';

import type { Draws } from '@bivouac/all/draws';
import type { Outcome } from '@bivouac/all/checks/ends';

import type { Answer, Caller, Order, Request, Tenant, World } from './messages.ts';

/** Something that is wanted, once, however often it is sent. */
export interface Wish {
  readonly key: string;
  readonly caller: Caller;
  readonly request: Request;
}

/** One sending of a wish; without an answer its outcome is unknown. */
export interface Sending {
  readonly wish: Wish;
  /** Sent with other input under the same key: a misuse. */
  readonly altered: boolean;
  answer?: Answer;
}

/** An operation that was accepted. */
export interface Operation {
  readonly order: Order;
  readonly operationId: string;
  readonly targetId: string;
  readonly customer: Tenant;
  outcome: Outcome;
}

/** How often what is drawn. */
const MIX = {
  provision: 28,
  'add-address': 12,
  'remove-address': 7,
  power: 12,
  resize: 10,
  delete: 8,
  restore: 8,
  terminate: 9,
  suspend: 8,
  resume: 8,
  cancel: 8,
  repeat: 8,
  misuse: 2,
  foreign: 2,
} as const;

export class Load {
  /** All there were, in their order. */
  readonly sendings: Sending[] = [];
  readonly #operations = new Map<string, Operation>();
  /** Ends heard of before the answer that names the operation. */
  readonly #ends = new Map<string, Outcome>();
  readonly #draws: Draws;
  #world: World | undefined;
  /** Sendings that somebody may still answer. */
  readonly #underWay = new Set<number>();
  readonly #wished = new Map<string, number>();
  #made = 0;

  constructor(draws: Draws) {
    this.#draws = draws;
  }

  get world(): World | undefined {
    return this.#world;
  }

  /** A process is ready to be sent to; those before it are gone, and answer nothing more. */
  begin(world: World): void {
    this.#world = world;
    this.#underWay.clear();
  }

  /** Operations accepted whose end nobody has heard of. */
  get open(): Operation[] {
    return [...this.#operations.values()].filter(({ outcome }) => outcome === 'running');
  }

  /** How many were accepted. */
  get accepted(): number {
    return this.#operations.size;
  }

  /** Those that wait for a person. */
  get waiting(): Operation[] {
    return [...this.#operations.values()].filter(({ outcome }) => outcome === 'needs-attention');
  }

  /** Sent and not answered yet, to somebody who may answer. */
  get unanswered(): number {
    return this.#underWay.size;
  }

  /** Wishes whose last sending ended in nothing certain: to be sent again under their key. */
  uncertain(): Wish[] {
    const last = new Map<Wish, Sending>();
    const underWay = new Set<Wish>();
    for (const [n, sending] of this.sendings.entries()) {
      if (sending.altered) continue;
      if (this.#underWay.has(n)) underWay.add(sending.wish);
      // A certain answer stays certain, whatever became of a repeat.
      const before = last.get(sending.wish);
      if (before === undefined || !isCertain(before)) last.set(sending.wish, sending);
    }
    return [...last.values()]
      .filter((sending) => !isCertain(sending) && !underWay.has(sending.wish))
      .map(({ wish }) => wish);
  }

  /** Notes a sending; its number tells the answer apart. */
  send(wish: Wish, altered = false): number {
    const number = this.sendings.push({ wish, altered }) - 1;
    this.#underWay.add(number);
    return number;
  }

  /** Nobody will answer it any more; what came of it is unknown. */
  givenUp(number: number): void {
    this.#underWay.delete(number);
  }

  answered(number: number, answer: Answer): void {
    const sending = this.sendings[number];
    this.#underWay.delete(number);
    if (sending === undefined) return;
    sending.answer = answer;
    if (answer.ok && !sending.altered) this.#accepted(sending.wish, answer.result);
  }

  ended(operationId: string, outcome: Outcome): void {
    this.#ends.set(operationId, outcome);
    const operation = this.#operations.get(operationId);
    if (operation !== undefined) operation.outcome = outcome;
  }

  /** What is sent next, and how often at once. */
  draw(): { readonly wish: Wish; readonly altered: boolean; readonly times: number } {
    const kind = this.#draws.weighted(MIX);
    if (kind === 'repeat' || kind === 'misuse') {
      const known = this.#draws.pick(this.sendings.filter((one) => canRepeat(one, kind)));
      if (known !== undefined) {
        const times = kind === 'repeat' ? this.#draws.between(1, 2) : 1;
        const { wish } = known;
        if (kind === 'repeat') return { wish, altered: false, times };
        return { wish: { ...wish, request: altered(wish.request) }, altered: true, times };
      }
    }
    const [caller, request] = this.#request(kind);
    // Eight clicks, all at once.
    const times = this.#draws.chance(0.06) ? 8 : this.#draws.chance(0.1) ? 2 : 1;
    return { wish: this.#wish(caller, request), altered: false, times };
  }

  /** What the staff do about an operation that waits for them. */
  staffAct(type: 'retry' | 'resolve', { operationId }: Operation): Wish {
    return this.#wish(this.#staff(), { type, operationId });
  }

  /** A new wish under a new key. */
  #wish(caller: Caller, request: Request): Wish {
    return { key: this.#nextKey(caller), caller, request };
  }

  #request(kind: keyof typeof MIX): [Caller, Request] {
    const customer = this.#customer();
    switch (kind) {
      case 'add-address':
      case 'remove-address':
      case 'power':
      case 'resize':
      case 'delete':
      case 'restore':
      case 'terminate':
      case 'suspend':
      case 'foreign': {
        const made = kind === 'restore' ? this.#deleted() : this.#container();
        if (made === undefined) break;
        const { customer: owner } = made;
        if (kind === 'suspend') return this.#order(this.#staff(), owner, suspend(made.targetId));
        const order = this.#change(kind === 'foreign' ? 'add-address' : kind, made);
        // As if it were one's own, which it mostly is not.
        const orderer = kind === 'foreign' ? customer : owner;
        return this.#order(callerOf(orderer), orderer, order);
      }
      case 'resume': {
        const held = this.#held();
        if (held === undefined) break;
        const order = {
          kind,
          containerId: held.targetId,
          holdId: holdOf(held),
        };
        return this.#order(this.#staff(), held.customer, order);
      }
      case 'cancel': {
        const some = this.#draws.chance(0.85) ? this.open : [...this.#operations.values()];
        const operation = this.#draws.pick(some.slice(-10));
        if (operation === undefined) break;
        const { operationId } = operation;
        return [callerOf(operation.customer), { type: 'cancel', operationId }];
      }
      default:
    }
    return this.#order(callerOf(customer), customer, this.#provision(customer));
  }

  #change(kind: string, made: Operation): Order {
    const { targetId: containerId } = made;
    const draws = this.#draws;
    switch (kind) {
      case 'terminate':
        return { kind, containerId, reason: 'not needed any more' };
      case 'delete':
        return { kind, containerId, reason: 'perhaps not needed any more', restoreDays: 1 };
      case 'power': {
        const action = draws.weighted({ start: 5, stop: 4, restart: 3, freeze: 2, thaw: 3 });
        return { kind, containerId, action };
      }
      case 'resize':
        return { kind, containerId, planCode: draws.chance(0.5) ? 'small' : 'large' };
      case 'remove-address':
        return { kind, containerId, leaseIds: [this.#lease(made)] };
      case 'add-address':
        return { kind, containerId, count: draws.between(1, 2) };
      default:
        return { kind, containerId };
    }
  }

  /** A lease that the container may have: what an order leases follows from its id. */
  #lease(made: Operation): string {
    const more = this.#of('add-address', 'succeeded').filter(
      ({ targetId }) => targetId === made.targetId,
    );
    const { operationId } = this.#draws.pick([made, ...more, ...more]) ?? made;
    return deriveId('lease', operationId, '1', String(this.#draws.between(0, 1)));
  }

  #provision({ tenantId }: Tenant): Order {
    const name = `c${this.#made}`;
    const kind = this.#draws.weighted({ right: 90, plan: 4, image: 3, name: 3 });
    const imageId = kind === 'image' ? deriveId('image', 'unknown') : (this.#world?.imageId ?? '');
    const planCode = this.#draws.chance(0.65) ? 'small' : 'large';
    const order = {
      kind: 'provision',
      tenantId,
      hostname: kind === 'name' ? `${name}.${'x'.repeat(60)}.example.com` : `${name}.example.com`,
      planCode: kind === 'plan' ? 'withdrawn' : planCode,
      imageId,
      extraAddresses: this.#draws.chance(0.25) ? this.#draws.between(1, 3) : 0,
    };
    return order;
  }

  /** Mostly one that runs and that nobody works on, as far as anybody knows. */
  #container(): Operation | undefined {
    const kind = this.#draws.weighted({ free: 80, busy: 10, 'being made': 7, any: 3 });
    const made = this.#of('provision');
    if (kind === 'any') return this.#draws.pick(made);
    if (kind === 'being made') return this.#draws.pick(this.#of('provision', 'running'));
    const gone = new Set(this.#of('terminate', 'succeeded').map((one) => one.targetId));
    const busy = new Set(this.open.map((one) => one.targetId));
    const runs = this.#of('provision', 'succeeded').filter((one) => !gone.has(one.targetId));
    return this.#draws.pick(runs.filter((one) => busy.has(one.targetId) === (kind === 'busy')));
  }

  /** Deleted by its owner, and not yet restored, as far as anybody knows. */
  #deleted(): Operation | undefined {
    const restored = this.#of('restore', 'succeeded');
    const deleted = this.#of('delete', 'succeeded').filter(
      ({ targetId }) =>
        restored.filter((one) => one.targetId === targetId).length <
        this.#of('delete', 'succeeded').filter((one) => one.targetId === targetId).length,
    );
    return this.#draws.chance(0.8) ? this.#draws.pick(deleted) : this.#container();
  }

  /** The placing of a hold: mostly one that stands, as far as anybody knows. */
  #held(): Operation | undefined {
    const lifted = new Set(
      this.#of('resume', 'succeeded').map(({ order }) => String(order['holdId'])),
    );
    const stand = this.#of('suspend', 'succeeded').filter((one) => !lifted.has(holdOf(one)));
    if (stand.length > 0 && this.#draws.chance(0.85)) return this.#draws.pick(stand);
    return this.#draws.pick(this.#of('suspend').slice(-6));
  }

  /** Operations of a kind, in their order; with this outcome, where one is told. */
  #of(kind: string, outcome?: Outcome): Operation[] {
    return [...this.#operations.values()].filter(
      (one) => one.order.kind === kind && (outcome === undefined || one.outcome === outcome),
    );
  }

  #customer(): Tenant {
    const customer = this.#draws.pick(this.#world?.customers ?? []);
    if (customer === undefined) throw new Error('nobody can order before the world is made');
    return customer;
  }

  #staff(): Caller {
    const provider = this.#world?.provider;
    if (provider === undefined) throw new Error('nobody can order before the world is made');
    return { id: 'staff', ...provider, staff: true };
  }

  #order(caller: Caller, { tenantId, homeId }: Tenant, order: Order): [Caller, Request] {
    return [caller, { type: 'order', tenantId, homeId, order }];
  }

  #accepted({ request }: Wish, result: Readonly<Record<string, unknown>>): void {
    const { operationId, target } = result;
    if (request.type !== 'order' || typeof operationId !== 'string') return;
    if (this.#operations.has(operationId)) return;
    const targetId =
      typeof target === 'object' && target !== null && 'id' in target ? String(target.id) : '';
    const { tenantId, homeId, order } = request;
    const customer = { tenantId, homeId };
    this.#operations.set(operationId, {
      ...{ order, operationId, targetId, customer },
      outcome: this.#ends.get(operationId) ?? 'running',
    });
  }

  /** Callers count for themselves: two of them choose the same key for different things. */
  #nextKey({ id, tenantId }: Caller): string {
    this.#made += 1;
    const of = `${id} ${tenantId}`;
    const count = (this.#wished.get(of) ?? 0) + 1;
    this.#wished.set(of, count);
    return `wish ${count}`;
  }
}

/** The hold that suspending places. */
function holdOf({ operationId }: Operation): string {
  return deriveId('hold', operationId);
}

function callerOf(customer: Tenant): Caller {
  return { id: 'owner', ...customer, staff: false };
}

function suspend(containerId: string): Order {
  const hold = { kind: 'abuse', reason: 'port scan' };
  return { kind: 'suspend', containerId, ...{ hold } };
}

function isCertain({ answer }: Sending): boolean {
  return answer !== undefined && (answer.ok || !answer.retryable);
}

/** A cancellation that found nothing to do is not remembered, so it has no second answer to compare. */
function canRepeat({ wish, altered, answer }: Sending, kind: 'repeat' | 'misuse'): boolean {
  if (altered) return false;
  if (kind === 'repeat') return true;
  return wish.request.type === 'order' && answer?.ok === true;
}

/** The same kind of order with something else in it. */
function altered(request: Request): Request {
  if (request.type !== 'order') return request;
  const { order } = request;
  const other =
    order.kind === 'provision' ? { hostname: 'altered.example.com' } : { containerId: OTHER };
  return { ...request, order: { ...order, ...other } };
}

const OTHER = deriveId('container', 'another one');
