/**
 * What a stream remembers of the commands it took: enough to answer a repeat with the first result.
 * Folded from the envelopes, so it needs no store of its own.
 */
import type { EventEnvelope } from '@bivouac/events/language';
import { millisecondsOf } from '@bivouac/events/values';

/** How long a command on an existing stream is remembered, in milliseconds of log time. */
export const MEMORY_MILLISECONDS = 7 * 24 * 60 * 60 * 1000;

export interface RememberedCommand {
  readonly inputHash: string;
  /** Revision of its first event. */
  readonly from: bigint;
  /** How many events it appended. */
  count: number;
  readonly time: string;
}

/** All that is remembered, by column and in log order: small and quick to write down. */
export interface MemoryColumns {
  readonly keys: readonly string[];
  readonly inputHashes: readonly string[];
  readonly times: readonly string[];
  readonly firsts: readonly bigint[];
  readonly counts: readonly number[];
}

export class CommandMemory {
  // Insertion order is log order: the oldest are forgotten from the front.
  readonly #commands = new Map<string, RememberedCommand>();
  /** Up to this log time, in milliseconds since 1970, nothing is old enough to be forgotten. */
  #keptUntil = -Infinity;

  recall(commandKey: string): RememberedCommand | undefined {
    return this.#commands.get(commandKey);
  }

  /** Folds one event of the stream. */
  note(event: EventEnvelope, revision: bigint): void {
    const known = this.#commands.get(event.commandkey);
    if (known !== undefined) {
      known.count += 1;
      return;
    }
    this.#commands.set(event.commandkey, {
      inputHash: event.inputhash,
      from: revision,
      count: 1,
      time: event.time,
    });
    const now = millisecondsOf(event.time);
    if (now > this.#keptUntil) this.#forget(now);
  }

  columns(): MemoryColumns {
    const commands = [...this.#commands.values()];
    return {
      keys: [...this.#commands.keys()],
      inputHashes: commands.map(({ inputHash }) => inputHash),
      times: commands.map(({ time }) => time),
      firsts: commands.map(({ from }) => from),
      counts: commands.map(({ count }) => count),
    };
  }

  /** Remembers what another memory had in its {@link CommandMemory.columns}, and nothing else. */
  resume({ keys, inputHashes, times, firsts, counts }: MemoryColumns): void {
    this.#commands.clear();
    this.#keptUntil = -Infinity;
    for (const [i, key] of keys.entries()) {
      this.#commands.set(key, {
        inputHash: inputHashes[i] ?? '',
        from: firsts[i] ?? 0n,
        count: counts[i] ?? 0,
        time: times[i] ?? '',
      });
    }
  }

  /** The creating command (revision 0) is remembered for ever: its stream's id is derived from it. */
  #forget(now: number): void {
    let oldest = now;
    for (const [key, command] of this.#commands) {
      if (command.from === 0n) continue;
      oldest = millisecondsOf(command.time);
      if (oldest >= now - MEMORY_MILLISECONDS) break;
      this.#commands.delete(key);
    }
    this.#keptUntil = oldest + MEMORY_MILLISECONDS;
  }
}
