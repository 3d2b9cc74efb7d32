/** Days and months in time zones, as the platform knows them: the second opinion's own calendar. */

/** The month after this one. */
export function nextMonth(month: string): string {
  const [year = 0, number = 0] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number, 1)).toISOString().slice(0, 7);
}

/** A month's days. */
export function daysOf(month: string): string[] {
  const [year = 0, number = 0] = month.split('-').map(Number);
  const last = new Date(Date.UTC(year, number, 0)).getUTCDate();
  return Array.from({ length: last }, (_, i) => `${month}-${String(i + 1).padStart(2, '0')}`);
}

const formats = new Map<string, Intl.DateTimeFormat>();
const known = new Map<string, string>();

/** The calendar day of an instant in a zone. Sweden writes dates as ISO does. */
export function dayOf(instant: string, zone: string): string {
  const name = `${instant} ${zone}`;
  const found = known.get(name);
  if (found !== undefined) return found;
  const format = formats.get(zone) ?? new Intl.DateTimeFormat('sv-SE', { timeZone: zone });
  formats.set(zone, format);
  const day = format.format(new Date(instant));
  known.set(name, day);
  return day;
}

/** The first instant of a day in a zone: some quarter of an hour, wherever. */
export function midnight(day: string, zone: string): string {
  const quarter = 900_000;
  let at = Date.parse(`${day}T00:00:00.000Z`) - 15 * 3_600_000;
  while (dayOf(new Date(at).toISOString(), zone) < day) at += quarter;
  return new Date(at).toISOString();
}
