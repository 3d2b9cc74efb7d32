/** Money: integer minor units in code, `{amount: "24.50", currency: "EUR"}` on the wire. */
import { z } from 'zod';

/** Minor-unit digits by ISO 4217 for the currencies we invoice in. Not from Intl: it differs. */
const digits: Readonly<Record<string, number>> = {
  EUR: 2,
  USD: 2,
  GBP: 2,
  CHF: 2,
  SEK: 2,
  NOK: 2,
  DKK: 2,
  PLN: 2,
  CZK: 2,
  HUF: 2,
  CAD: 2,
  AUD: 2,
  JPY: 0,
};

export const CurrencySchema = z.string().refine((code) => code in digits, {
  error: `expected one of the currencies ${Object.keys(digits).join(', ')}`,
});

export const MoneySchema = z.strictObject({
  amount: z
    .string()
    .regex(/^-?(0|[1-9]\d{0,15})(\.\d{1,2})?$/, { error: 'expected an amount like "24.50"' }),
  currency: CurrencySchema,
});
export type Money = z.output<typeof MoneySchema>;

/** Money from minor units: `money(2450n, 'EUR')` is 24.50 EUR. */
export function money(minor: bigint, currency: string): Money {
  const places = digitsOf(currency);
  const sign = minor < 0n ? '-' : '';
  const text = (minor < 0n ? -minor : minor).toString().padStart(places + 1, '0');
  const amount = places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`;
  return { amount: sign + amount, currency };
}

/** Minor units of an amount. Throws a RangeError where it has more digits than the currency. */
export function minorUnits(value: Money): bigint {
  const places = digitsOf(value.currency);
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(value.amount);
  const fraction = match?.[3] ?? '';
  if (match === null || fraction.length > places) {
    throw new RangeError(`${value.amount} is not an amount in ${value.currency}`);
  }
  const minor = BigInt((match[2] ?? '') + fraction.padEnd(places, '0'));
  return match[1] === '-' ? -minor : minor;
}

/** The sum; throws a RangeError for two currencies. */
export function addMoney(a: Money, b: Money): Money {
  if (a.currency !== b.currency) throw new RangeError(`cannot add ${a.currency} and ${b.currency}`);
  return money(minorUnits(a) + minorUnits(b), a.currency);
}

function digitsOf(currency: string): number {
  const places = digits[currency];
  if (places === undefined) throw new RangeError(`unknown currency ${currency}`);
  return places;
}
