/** Instants on the wire: RFC 3339 UTC with milliseconds. As text they sort by time. */
import { z } from 'zod';

export const InstantSchema = z.iso.datetime({ precision: 3 });

/** The instant made last: what happens in one millisecond is mostly told its time many times. */
let last = { milliseconds: 0, instant: '1970-01-01T00:00:00.000Z' };

/** Milliseconds since 1970 as an instant. */
export function instantOf(milliseconds: number): string {
  if (milliseconds !== last.milliseconds) {
    last = { milliseconds, instant: new globalThis.Date(milliseconds).toISOString() };
  }
  return last.instant;
}

/** An instant as milliseconds since 1970. */
export function millisecondsOf(instant: string): number {
  return globalThis.Date.parse(instant);
}

/** An instant moved by seconds. */
export function plusSeconds(instant: string, seconds: number): string {
  return instantOf(millisecondsOf(instant) + seconds * 1000);
}

/** The later of two instants. */
export function laterOf(a: string, b: string): string {
  return a > b ? a : b;
}
