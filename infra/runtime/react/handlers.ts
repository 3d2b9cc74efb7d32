/** A service's reactions by event type: what is not in here costs nothing. */
import type { EventRegistry, Recorded, StoredEvent } from '@bivouac/events/language';

import { RuntimeError } from '../errors.ts';
import type { Reaction } from './reaction.ts';

export class Handlers {
  readonly #byType = new Map<string, Reaction[]>();

  /** Throws a RuntimeError `misconfigured` for reactions that could never run, or not be told apart. */
  constructor(reactions: readonly Reaction[], registry: EventRegistry) {
    const names = new Set<string>();
    for (const reaction of reactions) {
      if (names.has(reaction.name)) {
        throw new RuntimeError('misconfigured', `two reactions are named ${reaction.name}`);
      }
      names.add(reaction.name);
      for (const type of reaction.types) {
        if (!registry.definitions.has(type)) {
          throw new RuntimeError(
            'misconfigured',
            `reaction ${reaction.name} handles ${type}, which is not in the service's events`,
          );
        }
        const others = this.#byType.get(type);
        if (others === undefined) this.#byType.set(type, [reaction]);
        else others.push(reaction);
      }
    }
  }

  /** Whether any reaction handles the type. */
  handles(type: string): boolean {
    return this.#byType.has(type);
  }

  /** The reactions that an event fires. */
  of(event: StoredEvent | Recorded): readonly Reaction[] {
    const all = this.#byType.get(event.type) ?? [];
    return all.every((r) => r.installedAt === undefined)
      ? all
      : all.filter((r) => r.installedAt === undefined || event.position > r.installedAt);
  }
}
