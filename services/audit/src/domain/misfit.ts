/** What is wrong with a question that fits its schema and still can have no answer. */
import { refuse, type Refusal } from '@bivouac/events/language';

/** The part of a question that is looked at. */
export interface Question {
  readonly filter: {
    readonly types?: readonly string[] | undefined;
    readonly from?: string | undefined;
    readonly to?: string | undefined;
    readonly afterPosition?: string | undefined;
    readonly upToPosition?: string | undefined;
  };
  readonly page: { readonly after?: string | undefined; readonly before?: string | undefined };
}

/** Undefined where nothing is. `isType`: whether there are events of that type. */
export function misfitOf(
  { filter, page }: Question,
  isType: (type: string) => boolean,
): Refusal | undefined {
  for (const option of ['after', 'before'] as const) {
    const cursor = page[option];
    if (cursor === undefined || /^\d{20}$/.test(cursor)) continue;
    return invalid(
      [option],
      `${option}: ${JSON.stringify(cursor.slice(0, 80))} is no cursor of the trail. Use one from a page of it, or leave it out.`,
    );
  }
  const { from, to, afterPosition, upToPosition } = filter;
  if (from !== undefined && to !== undefined && from >= to) {
    return invalid(
      ['filter', 'to'],
      'The time range ends before it begins: give `to` a later time than `from`.',
    );
  }
  if (afterPosition !== undefined && upToPosition !== undefined && afterPosition >= upToPosition) {
    return invalid(
      ['filter', 'upToPosition'],
      'The stretch of the log ends before it begins: give a later position.',
    );
  }
  const unknown = filter.types?.findIndex((type) => !isType(type)) ?? -1;
  if (unknown < 0) return undefined;
  return invalid(
    ['filter', 'types', String(unknown)],
    `${filter.types?.[unknown] ?? ''} is no type of event. Take one as the \`type\` of an event has it.`,
  );
}

function invalid(path: readonly string[], message: string): Refusal {
  return refuse('INVALID_INPUT', message, { path }).refusal;
}
