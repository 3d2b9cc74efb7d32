/** What `decide` answers: events to append, or a refusal that says what to do. */
import type { Decided } from './event.ts';

/**
 * Why something was not done. A value, never an exception: refusals are part of the domain.
 */
export interface Refusal {
  /** Stable, UPPER_SNAKE_CASE; listed in docs/errors.md. */
  readonly code: string;
  /** One sentence for a person: what is wrong and what to do about it. */
  readonly message: string;
  /** The input field concerned, e.g. `['input', 'hostname']`. */
  readonly path?: readonly string[] | undefined;
  /** The same request may succeed later, unchanged. */
  readonly retryable?: boolean | undefined;
  /** Facts a program can use, e.g. what was asked and what was free. JSON. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

export type Decision<E extends Decided = Decided> =
  | { readonly kind: 'accepted'; readonly events: readonly E[] }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Events to append. None: what was asked for is so already. */
export function accept<E extends Decided>(...events: readonly E[]): Decision<E> {
  return { kind: 'accepted', events };
}

/** A refusal. Leaves no trace in the log. */
export function refuse(
  code: string,
  message: string,
  more?: Pick<Refusal, 'path' | 'details' | 'retryable'>,
): { readonly kind: 'refused'; readonly refusal: Refusal } {
  return { kind: 'refused', refusal: { code, message, ...more } };
}

/** What the host hands to `decide` besides state and input: a domain has no clock of its own. */
export interface DecideContext {
  /** Recorded time the events will carry, RFC 3339 UTC with milliseconds. */
  readonly now: string;
  /** The stream decided on. */
  readonly stream: string;
  readonly commandKey: string;
  readonly actorId: string;
  readonly tenantId: string;
  readonly homeId: string;
}
