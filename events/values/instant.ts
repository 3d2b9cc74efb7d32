/** Instants on the wire: RFC 3339 UTC with milliseconds. As text they sort by time. */
import { z } from 'zod';

export const InstantSchema = z.iso.datetime({ precision: 3 });

/** Milliseconds since 1970 as an instant. */
export function instantOf(milliseconds: number): string {
  return new globalThis.Date(milliseconds).toISOString();
}

/** An instant as milliseconds since 1970. */
export function millisecondsOf(instant: string): number {
  return globalThis.Date.parse(instant);
}

/** An instant moved by seconds. */
export function plusSeconds(instant: string, seconds: number): string {
  return instantOf(millisecondsOf(instant) + seconds * 1000);
}

/** The same day and time so many years on; 1 March for a 29 February that there is not. */
export function plusYears(instant: string, years: number): string {
  const date = new globalThis.Date(instant);
  return instantOf(date.setUTCFullYear(date.getUTCFullYear() + years));
}

/** The later of two instants. */
export function laterOf(a: string, b: string): string {
  return a > b ? a : b;
}
