/** Whether a stored event is what was asked for and the caller's to see. */
import type { StoredEvent } from '@bivouac/events/language';
import { isPublished } from '@bivouac/infra/bus';
import type { QueryContext } from '@bivouac/infra/runtime';

import type { TrailFilter } from '../api/index.ts';

export type Fits = (event: StoredEvent) => boolean;

/** What a filter says of each event; where it is read from does not matter. */
export function fitting(filter: TrailFilter, { reaches, log }: QueryContext): Fits {
  const { actor, account, from, to } = filter;
  const types = filter.types?.length ? new Set(filter.types) : undefined;
  const tenants = account?.tenants && new Set(account.tenants);
  const concerns = (event: StoredEvent): boolean => {
    if (tenants === undefined || tenants.has(event.tenantid)) return true;
    // A tree's own streams are its root's; which of its tenants an event there is about, it says itself.
    if (account?.homeId === undefined || event.tenantid !== account.homeId) return false;
    const about = log.decode(event)?.data['tenantId'];
    return typeof about === 'string' && tenants.has(about);
  };
  return (event) =>
    reaches(event.tenantid) &&
    (actor === undefined || event.actorid === actor) &&
    (types === undefined || types.has(event.type)) &&
    (from === undefined || event.time >= from) &&
    (to === undefined || event.time < to) &&
    (account?.homeId === undefined || event.homeid === account.homeId) &&
    isPublished(event.stream) &&
    concerns(event);
}
