/**
 * Ids that hold nothing, for as long as a late taking may come: every taking is refused after its
 * own `notAfter`, so remembering an id longer would protect nothing.
 */

export type Tombstones = Map<
  string,
  { readonly reason: 'no-room' | 'released'; readonly notAfter: string }
>;

/** How many are looked at with each event: more than one arrives, so the expired ones drain. */
const LOOKED_AT = 4;

/** Forgets from the oldest on what has expired at `now`. Depends on the events alone. */
export function forgetExpired(tombstones: Tombstones, now: string): void {
  let looked = 0;
  for (const [id, { notAfter }] of tombstones) {
    if (now <= notAfter || looked === LOOKED_AT) return;
    tombstones.delete(id);
    looked += 1;
  }
}
