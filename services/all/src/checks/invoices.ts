/** Every invoice is, to the minor unit and part by part, what the second opinion comes to. */
import { z } from 'zod';

import { type Bill, type JsonEvent, recompute } from './second-opinion/recompute.ts';

const MoneySchema = z.object({ amount: z.string(), currency: z.string() });
const InvoiceSchema = z.object({
  ...{ accountId: z.string(), issuerId: z.string(), month: z.string(), lineCount: z.number() },
  total: MoneySchema,
  subtotals: z.object({
    ...{ plans: MoneySchema, addresses: MoneySchema, setup: MoneySchema },
    addOns: MoneySchema.optional(),
    fees: MoneySchema.optional(),
  }),
});

export interface SecondOpinion {
  /** Invoices that were compared. */
  readonly compared: number;
  /** What they come to by issuer, in minor units by currency. */
  readonly totals: ReadonlyMap<string, ReadonlyMap<string, bigint>>;
  readonly mismatches: readonly string[];
}

/** Compares the log's invoices with what follows from its other events. */
export function compareInvoices(events: readonly JsonEvent[]): SecondOpinion {
  const ours = new Map(
    recompute(events).map((bill) => [`${bill.month} of ${bill.accountId}`, described(bill)]),
  );
  const mismatches: string[] = [];
  const totals = new Map<string, Map<string, bigint>>();
  let compared = 0;
  for (const { type, data } of events) {
    if (type !== 'billing.InvoiceIssued') continue;
    const invoice = InvoiceSchema.parse(data);
    const { accountId, issuerId, month, total, subtotals, lineCount: lines } = invoice;
    const of = `${month} of ${accountId}`;
    const { plans, addresses, setup, addOns, fees } = subtotals;
    const theirs = described({
      ...{ accountId, issuerId, month, lines, currency: total.currency, total: minor(total) },
      parts: {
        ...{ plans: minor(plans), addresses: minor(addresses), setup: minor(setup) },
        ...{ addOns: minor(addOns), fees: minor(fees) },
      },
    });
    compared += 1;
    const expected = ours.get(of);
    if (expected !== theirs) {
      mismatches.push(`${of}: invoiced ${theirs}, recomputed ${expected ?? 'nothing'}`);
    }
    ours.delete(of);
    const sums = totals.get(issuerId) ?? new Map<string, bigint>();
    sums.set(total.currency, (sums.get(total.currency) ?? 0n) + minor(total));
    totals.set(issuerId, sums);
  }
  for (const [of, bill] of ours) mismatches.push(`${of}: invoiced nothing, recomputed ${bill}`);
  return { compared, totals, mismatches };
}

function described({ issuerId, currency, total, parts, lines }: Bill): string {
  const { plans, addresses, setup, addOns, fees } = parts;
  return (
    `${total} ${currency} by ${issuerId} in ${lines} lines ` +
    `(plans ${plans}, addresses ${addresses}, set-up ${setup}, add-ons ${addOns}, fees ${fees})`
  );
}

function minor(money: z.output<typeof MoneySchema> | undefined): bigint {
  return money === undefined ? 0n : BigInt(money.amount.replace('.', ''));
}
