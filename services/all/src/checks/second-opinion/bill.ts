/**
 * What an account owes for a month, day by day: who was served what on this day, at whose price? Part
 * of the second opinion on invoices; no code in common with billing.
 */
import { z } from 'zod';

import { dayOf, daysOf } from './calendar.ts';

const text = z.string();
export const Money = z.object({ amount: text, currency: text });
type Money = z.output<typeof Money>;
export const Source = z.object({ stream: text, revision: text });
export const Prices = z.object({ monthly: Money, setup: Money, extraAddressMonthly: Money });
export const Terms = Prices.extend({ planId: text, includedAddresses: z.number(), zone: text });

export type Kind = 'plans' | 'addresses' | 'setup' | 'addOns' | 'fees';

export interface Version {
  readonly stream: string;
  readonly revision: string;
  readonly from: string;
  readonly forExisting: boolean;
  readonly terms: z.output<typeof Terms>;
}
/** Terms that came into force, and whose they are. */
export interface Change {
  readonly at: string;
  readonly version: Version;
  readonly prices: z.output<typeof Prices>;
  /** Where the prices are from; others are other terms. */
  readonly pricedBy: string | undefined;
}
interface Stay {
  readonly from: string;
  until?: string;
}
export interface Service extends Stay {
  readonly containerId: string;
  readonly zone: string;
  readonly changes: Change[];
  addresses: (Stay & { readonly leaseId: string })[];
  readonly setup: Money | undefined;
  /** The order it came from was undone: it costs nothing, and never did. */
  undone?: true;
}
export interface AddOn extends Stay {
  readonly zone: string;
  readonly price: Money;
  readonly quantity: number;
  readonly service: Service | undefined;
}
export interface Account {
  readonly issuerId: string;
  readonly services: Service[];
  readonly addOns: Map<string, AddOn>;
  readonly fees: { readonly day: string; readonly price: Money }[];
  readonly closed: Set<string>;
}

/** A line while its days are counted. */
interface Line {
  readonly kind: Kind;
  readonly price: Money;
  readonly units: number;
  days: number;
  /** Null: it is charged once, whole. */
  readonly of: number | null;
}

/** Undefined: nothing is owed. Amounts in minor units, each line rounded half up. */
export function billOf(account: Account, month: string) {
  const days = daysOf(month);
  const services = account.services.filter((service) => service.undone === undefined);
  const lines = new Map<string, Line>();
  const count = (name: string, line: Omit<Line, 'days' | 'of'>): void => {
    const there = lines.get(name);
    if (there === undefined) lines.set(name, { ...line, days: 1, of: days.length });
    else there.days += 1;
  };
  /** Whether an elder service of the same container has the day already. */
  const served = (service: Service, day: string): boolean =>
    isOn(service, day, service.zone) &&
    !services
      .slice(0, services.indexOf(service))
      .some((s) => s.containerId === service.containerId && isOn(s, day, s.zone));

  for (const [n, service] of services.entries()) {
    const { zone, changes, addresses, setup } = service;
    let stretch = 0;
    let terms: Change | undefined;
    for (const day of days) {
      if (!served(service, day)) continue;
      const now = changes.findLast((c) => dayOf(c.at, zone) <= day);
      if (now === undefined) continue;
      if (terms !== undefined && !sameTerms(terms, now)) stretch += 1;
      terms = now;
      count(`plan ${n} ${stretch}`, { kind: 'plans', price: now.prices.monthly, units: 1 });
      addresses
        .filter((address) => isOn(address, day, zone))
        .slice(now.version.terms.includedAddresses)
        .forEach((address) => {
          const price = now.prices.extraAddressMonthly;
          count(`${address.leaseId} ${n} ${stretch}`, { kind: 'addresses', price, units: 1 });
        });
    }
    if (setup !== undefined && dayOf(service.from, zone).startsWith(month)) {
      lines.set(`setup ${n}`, { kind: 'setup', price: setup, units: 1, days: 1, of: null });
    }
  }
  for (const [id, addOn] of account.addOns) {
    const { zone, service, price, quantity: units } = addOn;
    for (const day of days) {
      const its = service === undefined || (service.undone === undefined && served(service, day));
      if (!its || !isOn(addOn, day, zone)) continue;
      count(`add-on ${id}`, { kind: 'addOns', price, units });
    }
  }
  for (const [n, { day, price }] of account.fees.entries()) {
    if (!day.startsWith(month)) continue;
    lines.set(`fee ${n}`, { kind: 'fees', price, units: 1, days: 1, of: null });
  }
  return summed([...lines.values()].filter(({ price }) => minor(price) !== 0n));
}

function summed(lines: readonly Line[]) {
  const parts: Record<Kind, bigint> = { plans: 0n, addresses: 0n, setup: 0n, addOns: 0n, fees: 0n };
  for (const { kind, price, units, days, of } of lines) {
    const whole = minor(price) * BigInt(units) * BigInt(days);
    const by = BigInt(of ?? 1);
    parts[kind] += (2n * whole + by) / (2n * by);
  }
  const total = Object.values(parts).reduce((sum, part) => sum + part, 0n);
  const currency = [...new Set(lines.map(({ price }) => price.currency))].join('+');
  return total === 0n ? undefined : { currency, total, parts, lines: lines.length };
}

/** From its first day on; the day on which it ends is not its, unless it is the first. */
function isOn({ from, until }: Stay, day: string, zone: string): boolean {
  const first = dayOf(from, zone);
  if (day < first || until === undefined) return day >= first;
  return day < dayOf(until, zone) || day === first;
}

function sameTerms(a: Change, b: Change): boolean {
  return same(a.version, b.version) && a.pricedBy === b.pricedBy;
}

export function same(a: z.output<typeof Source>, b: z.output<typeof Source>): boolean {
  return a.stream === b.stream && a.revision === b.revision;
}

function minor({ amount }: Money): bigint {
  return BigInt(amount.replace('.', ''));
}
