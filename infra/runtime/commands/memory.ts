/**
 * What a stream remembers of the commands it took: enough to answer a repeat with the first result.
 * Folded from the envelopes, so it needs no store of its own.
 */
import type { EventEnvelope } from '@bivouac/events/language';

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

export class CommandMemory {
  // Insertion order is log order: the oldest are forgotten from the front.
  readonly #commands = new Map<string, RememberedCommand>();

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
    this.#forget(event.time);
  }

  /** The creating command (revision 0) is remembered for ever: its stream's id is derived from it. */
  #forget(now: string): void {
    const oldest = Date.parse(now) - MEMORY_MILLISECONDS;
    for (const [key, command] of this.#commands) {
      if (command.from === 0n) continue;
      if (Date.parse(command.time) >= oldest) return;
      this.#commands.delete(key);
    }
  }
}
