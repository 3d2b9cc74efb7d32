/**
 * Pages of lists. The gateway bounds and checks what is asked; the cursors are the services' own,
 * which sort as the list does, so a page stays where it is while the list grows.
 */
import { requestError } from '../errors/request-error.ts';
import { given, isGiven } from './given.ts';

/** What a field of a connection takes. */
export interface PageArgs {
  readonly first?: number | null | undefined;
  readonly last?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly before?: string | null | undefined;
}

/** How services are asked for a page. With `reverse` they read from the end towards the start. */
export interface PageRequest {
  readonly limit: number;
  readonly reverse: boolean;
  readonly after?: string;
  readonly before?: string;
}

export const DEFAULT_PAGE = 20;
export const MAX_PAGE = 100;
const MAX_CURSOR = 500;

/** Checks page arguments; throws INVALID_ARGUMENT naming the argument. */
export function pageRequest(args: PageArgs): PageRequest {
  const { first, last, after, before } = args;
  if (isGiven(first) && isGiven(last)) {
    throw requestError('INVALID_ARGUMENT', 'Give either first or last, not both.', {
      argument: 'last',
    });
  }
  bounded('first', first);
  bounded('last', last);
  cursor('after', after);
  cursor('before', before);
  return {
    limit: first ?? last ?? DEFAULT_PAGE,
    reverse: isGiven(last),
    ...given({ after, before }),
  };
}

/** A list's page as a connection. */
export interface Connection<T> {
  readonly edges: { readonly cursor: string; readonly node: T }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

/**
 * A service's page as a connection.
 *
 * @param keep drops what the caller may not see; the cursors of the page stay.
 */
export function connection<T>(
  page: {
    readonly items: readonly { readonly cursor: string; readonly node: T }[];
    readonly hasNext: boolean;
    readonly hasPrevious: boolean;
  },
  keep: (node: T) => boolean = () => true,
): Connection<T> {
  return {
    edges: page.items.filter((item) => keep(item.node)),
    pageInfo: {
      hasNextPage: page.hasNext,
      hasPreviousPage: page.hasPrevious,
      startCursor: page.items[0]?.cursor ?? null,
      endCursor: page.items.at(-1)?.cursor ?? null,
    },
  };
}

function bounded(argument: string, value: number | null | undefined): void {
  if (!isGiven(value) || (value >= 1 && value <= MAX_PAGE)) return;
  throw requestError(
    'INVALID_ARGUMENT',
    `The argument ${argument} is ${value}: expected 1 to ${MAX_PAGE}. Read further pages with after or before.`,
    { argument },
  );
}

function cursor(argument: string, value: string | null | undefined): void {
  if (!isGiven(value) || (value.length > 0 && value.length <= MAX_CURSOR)) return;
  throw requestError(
    'INVALID_ARGUMENT',
    `The argument ${argument} is no cursor: expected what a field cursor gave.`,
    { argument },
  );
}

/** The total of a page that has one: Pothos hands a connection's own fields less than it is. */
export function totalOf(page: object): number {
  if ('total' in page && typeof page.total === 'number') return page.total;
  throw new TypeError('a page of a list with a total came without it');
}
