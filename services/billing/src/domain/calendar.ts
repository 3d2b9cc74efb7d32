/** Days and months of a time zone's calendar: what charging counts in. */
import type { Period } from '@bivouac/events/billing';
import { Temporal } from 'temporal-polyfill';

/** The day an instant falls on in a zone, e.g. `2026-04-10`. */
export function dayOf(instant: string, zone: string): string {
  return Temporal.Instant.from(instant).toZonedDateTimeISO(zone).toPlainDate().toString();
}

/** The month an instant falls into in a zone, e.g. `2026-04`. */
export function monthOf(instant: string, zone: string): string {
  return dayOf(instant, zone).slice(0, 7);
}

/** The month after this one. */
export function nextMonth(month: string): string {
  return Temporal.PlainYearMonth.from(month).add({ months: 1 }).toString();
}

/** A month's bounds in a zone; its days are calendar days, whatever the clock does in between. */
export function periodOf(month: string, zone: string): Period {
  return {
    zone,
    startsAt: startOf(firstDayOf(month), zone),
    endsAt: startOf(firstDayOf(nextMonth(month)), zone),
    days: Temporal.PlainYearMonth.from(month).daysInMonth,
  };
}

/** When a month ends where it ends first; before that nobody's month is over. */
export function firstEndOf(month: string): string {
  return startOf(firstDayOf(nextMonth(month)), '+14:00');
}

/** Whether one instant lies before another; as texts they only sort within years of four digits. */
export function isBefore(instant: string, other: string): boolean {
  return Temporal.Instant.compare(instant, other) < 0;
}

/** The first day of a month, e.g. `2026-04-01`. */
export function firstDayOf(month: string): string {
  return `${month}-01`;
}

/** The day after. */
export function dayAfter(day: string): string {
  return Temporal.PlainDate.from(day).add({ days: 1 }).toString();
}

/** How many days lie from one day to another; negative backwards. */
export function daysBetween(from: string, until: string): number {
  return Temporal.PlainDate.from(from).until(until, { largestUnit: 'days' }).days;
}

/** Whether this is a time zone the calendar knows. */
export function isZone(zone: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
    return true;
  } catch {
    return false;
  }
}

function startOf(day: string, zone: string): string {
  return Temporal.PlainDate.from(day)
    .toZonedDateTime(zone)
    .toInstant()
    .toString({ fractionalSecondDigits: 3 });
}
