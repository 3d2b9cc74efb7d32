/**
 * A second opinion on every invoice: from the log's events, read as plain JSON, what each account owes
 * for each closed month. It shares no code with billing and goes another way, day by day: who was
 * served what on this day, at whose price? Only what people decided is taken from billing's events
 * (prices, add-ons, fees, which months are closed), never what billing made of a container's life.
 */
import { z } from 'zod';

import {
  type Account,
  type AddOn,
  billOf,
  type Change,
  type Kind,
  Money,
  Prices,
  same,
  type Service,
  Source,
  Terms,
  type Version,
} from './bill.ts';
import { dayOf, midnight, nextMonth } from './calendar.ts';

/** An event as the log has it, its body parsed. */
export interface JsonEvent {
  readonly stream: string;
  readonly revision: string;
  readonly type: string;
  readonly time: string;
  readonly data: unknown;
}

/** What an account owes for a month, in minor units. */
export interface Bill {
  readonly accountId: string;
  readonly issuerId: string;
  readonly month: string;
  readonly currency: string;
  readonly total: bigint;
  readonly parts: Readonly<Record<Kind, bigint>>;
  readonly lines: number;
}

const text = z.string();
const Plan = z.object({ planId: text, source: Source, pricedBy: Source.optional() });
const Dated = z.object({ effectiveFrom: text.optional(), forExisting: z.boolean().optional() });
const Life = z.object({
  ...{ containerId: text, tenantId: text, plan: Plan.optional(), ran: z.boolean().optional() },
  addresses: z.array(z.object({ leaseId: text })).optional(),
  ...{ leaseIds: z.array(text).optional(), undone: z.boolean().optional() },
});
const Extra = z.object({
  ...{
    accountId: text,
    addOnId: text.optional(),
    zone: text.optional(),
    monthly: Money.optional(),
  },
  ...{ quantity: z.number().optional(), containerId: text.nullish(), attachedAt: text.optional() },
  ...{ endsAt: text.optional(), amount: Money.optional(), chargedAt: text.optional() },
});

/** A price of one's own; null: taken back. */
interface OwnPrice {
  readonly planId: string;
  readonly from: string;
  readonly revision: string;
  readonly prices: z.output<typeof Prices> | null;
}
/** Bills of every account for every month that was closed, in the order of the closings. */
export function recompute(events: Iterable<JsonEvent>): Bill[] {
  const accounts = new Map<string, Account>();
  const versions: Version[] = [];
  const lists = new Map<string, OwnPrice[]>();
  const bills: Bill[] = [];

  /** An account and everybody above it but the provider, who is invoiced by nobody. */
  function* debtors(tenantId: string): Generator<[string, Account]> {
    const account = accounts.get(tenantId);
    if (account === undefined) return;
    yield [tenantId, account];
    yield* debtors(account.issuerId);
  }

  /** What a plan costs somebody: what was quoted, or else what those above take at that time. */
  function change(of: Account, own: boolean, plan: z.output<typeof Plan>, at: string): Change {
    const version = versions.find((v) => same(v, plan.source));
    if (version === undefined) throw new Error(`nobody knows the plan ${plan.source.stream}`);
    const priced = (issuerId: string, price: OwnPrice | undefined): Change | undefined =>
      price?.prices
        ? { at, version, prices: price.prices, pricedBy: `${issuerId}@${price.revision}` }
        : undefined;
    if (own && plan.pricedBy !== undefined) {
      const { stream, revision } = plan.pricedBy;
      const issuerId = stream.slice('prices-'.length);
      const quoted = priced(
        issuerId,
        lists.get(issuerId)?.find((p) => p.revision === revision),
      );
      if (quoted === undefined) throw new Error(`${stream} has no price at ${revision}`);
      return quoted;
    }
    let issuer: string | undefined = own ? undefined : of.issuerId;
    for (; issuer !== undefined; issuer = accounts.get(issuer)?.issuerId) {
      const inForce = (lists.get(issuer) ?? [])
        .filter((p) => p.planId === version.terms.planId && p.from <= at)
        .reduce<OwnPrice | undefined>((a, b) => (a && a.from > b.from ? a : b), undefined);
      const found = priced(issuer, inForce);
      if (found !== undefined) return found;
    }
    return { at, version, prices: version.terms, pricedBy: undefined };
  }

  function live({ type, time }: JsonEvent, data: z.output<typeof Life>): void {
    const { containerId, tenantId, plan, addresses = [], leaseIds = [], undone } = data;
    for (const [accountId, account] of debtors(tenantId)) {
      const running = account.services.findLast((s) => s.containerId === containerId);
      const service = running?.until === undefined ? running : undefined;
      const own = accountId === tenantId;
      const from = (zone: string): string => notClosed(account, time, zone);
      const begins = type === 'containers.ContainerRunning';
      if (plan !== undefined && (begins || type === 'containers.ContainerRestored')) {
        if (service !== undefined) continue;
        const first = change(account, own, plan, time);
        const { zone } = first.version.terms;
        const at = from(zone);
        account.services.push({
          ...{ containerId, zone, from: at, changes: [{ ...first, at }] },
          addresses: addresses.map(({ leaseId }) => ({ leaseId, from: at })),
          setup: begins ? first.prices.setup : undefined,
        });
      } else if (type === 'containers.OrderUndone') {
        for (const one of account.services) if (one.containerId === containerId) one.undone = true;
      } else if (service === undefined) continue;
      else if (type === 'containers.ContainerResized' && plan !== undefined) {
        enter(service, { ...change(account, own, plan, time), at: from(service.zone) });
      } else if (type === 'containers.AddressesAttached') {
        const at = from(service.zone);
        service.addresses.push(...addresses.map(({ leaseId }) => ({ leaseId, from: at })));
      } else if (type === 'containers.AddressesDetached') {
        const gone = service.addresses.filter((one) => leaseIds.includes(one.leaseId));
        for (const one of gone) one.until ??= from(service.zone);
        // What attached them was undone: they were never there.
        if (undone === true)
          service.addresses = service.addresses.filter((one) => !gone.includes(one));
      } else service.until = from(service.zone);
    }
  }

  for (const event of events) {
    const { type, stream, revision, time, data } = event;
    if (type === 'accounts.TenantCreated') {
      const { tenantId, parentId } = z
        .object({ tenantId: text, parentId: text.nullable() })
        .parse(data);
      if (parentId === null) continue;
      const nothing = { services: [], addOns: new Map<string, AddOn>(), fees: [] };
      accounts.set(tenantId, { issuerId: parentId, ...nothing, closed: new Set() });
    } else if (type === 'billing.PlanDefined' || type === 'billing.PlanTermsReplaced') {
      const { effectiveFrom: from = time, forExisting = false } = Dated.parse(data);
      versions.push({ stream, revision, from, forExisting, terms: Terms.parse(data) });
    } else if (type === 'billing.PriceSet' || type === 'billing.PriceWithdrawn') {
      const { issuerId, planId } = z.object({ issuerId: text, planId: text }).parse(data);
      const prices = type === 'billing.PriceSet' ? Prices.parse(data) : null;
      const { effectiveFrom: from = time } = Dated.parse(data);
      // Taking a price back also takes back those of it that lie ahead.
      const stands = (p: OwnPrice): boolean => !!prices || p.planId !== planId || p.from <= time;
      const list = (lists.get(issuerId) ?? []).filter(stands);
      lists.set(issuerId, [...list, { planId, from, revision, prices }]);
    } else if (lives.has(type)) {
      const life = Life.parse(data);
      // One that never ran was never charged.
      if (type !== 'containers.ContainerDeleted' || life.ran === true) live(event, life);
    } else if (type === 'billing.MonthClosed') {
      const { accountId, month } = z.object({ accountId: text, month: text }).parse(data);
      const account = accounts.get(accountId);
      if (account === undefined) continue;
      renew(account, month, versions);
      const bill = billOf(account, month);
      if (bill !== undefined) bills.push({ accountId, issuerId: account.issuerId, month, ...bill });
      account.closed.add(month);
    } else if (extras.has(type)) extra(accounts, Extra.parse(data));
  }
  return bills;
}

const lives = new Set(
  ['Running', 'Restored', 'Resized', 'SoftDeleted', 'Deleted']
    .map((name) => `containers.Container${name}`)
    .concat(
      ['AddressesAttached', 'AddressesDetached', 'OrderUndone'].map((s) => `containers.${s}`),
    ),
);
const extras = new Set(['billing.AddOnAttached', 'billing.AddOnCancelled', 'billing.FeeCharged']);

function extra(accounts: ReadonlyMap<string, Account>, data: z.output<typeof Extra>): void {
  const { accountId, addOnId = '', zone = 'UTC', monthly, quantity = 1, endsAt } = data;
  const { containerId, attachedAt, amount, chargedAt } = data;
  const account = accounts.get(accountId);
  if (account === undefined) return;
  if (amount !== undefined && chargedAt !== undefined) {
    account.fees.push({ day: dayOf(chargedAt, zone), price: amount });
  } else if (monthly !== undefined && attachedAt !== undefined) {
    const service = account.services.findLast((s) => s.containerId === containerId);
    const addOn = { zone, price: monthly, quantity, service, from: attachedAt };
    account.addOns.set(addOnId, addOn);
  } else {
    const addOn = account.addOns.get(addOnId);
    if (addOn !== undefined && endsAt !== undefined) addOn.until = endsAt;
  }
}

/** New prices for whoever has a plan already count from the first month that begins with them. */
function renew(account: Account, month: string, versions: readonly Version[]): void {
  for (const service of account.services) {
    const start = midnight(`${month}-01`, service.zone);
    const current = service.changes.filter(({ at }) => at <= start).at(-1);
    if (current === undefined || current.pricedBy !== undefined) continue;
    if (service.undone || (service.until !== undefined && service.until <= start)) continue;
    const newer = (a: Version, b: Version): boolean =>
      a.from === b.from ? BigInt(a.revision) > BigInt(b.revision) : a.from > b.from;
    let best = current.version;
    for (const v of versions) {
      const ofPlan = v.terms.planId === current.version.terms.planId;
      if (ofPlan && v.forExisting && v.from <= start && newer(v, best)) best = v;
    }
    if (best === current.version) continue;
    enter(service, { at: start, version: best, prices: best.terms, pricedBy: undefined });
  }
}

function enter({ changes }: Service, change: Change): void {
  const behind = changes.findIndex(({ at }) => at > change.at);
  changes.splice(behind === -1 ? changes.length : behind, 0, change);
}

/** When a fact counts: then, or where that month is closed already, with the end of it. */
function notClosed({ closed }: Account, time: string, zone: string): string {
  let month = dayOf(time, zone).slice(0, 7);
  if (!closed.has(month)) return time;
  while (closed.has(month)) month = nextMonth(month);
  return midnight(`${month}-01`, zone);
}
