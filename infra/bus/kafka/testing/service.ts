/** A service on a real bus whose effects can be compared with what was written. */
import { expect } from '@jest/globals';

import { systemClock } from '../../../runtime/clock.ts';
import type { Reactions } from '../../../runtime/react/reaction.ts';
import { startReactions } from '../../../runtime/react/reactions.ts';
import {
  keyOf,
  registry,
  sampleReaction,
  World,
  Writer,
} from '../../../runtime/react/sample-service.ts';
import type { KafkaBus } from '../bus.ts';
import type { Installation } from './broker.ts';

/** A service with one reaction, and the events it is to handle. */
export class Service {
  readonly world = new World();
  readonly writer: Writer;
  readonly failures: unknown[] = [];
  readonly #written: { homeid: string; position: string }[] = [];
  readonly #installation: Installation;
  readonly #closing: (() => Promise<unknown>)[];

  /** @param closing gets what ends it. */
  constructor(installation: Installation, closing: (() => Promise<unknown>)[]) {
    this.#installation = installation;
    this.#closing = closing;
    this.writer = new Writer(installation.store);
  }

  async start(bus: KafkaBus): Promise<Reactions> {
    const { store, logger } = this.#installation;
    const reactions = await startReactions({
      service: 'sample',
      reactions: [sampleReaction('note', this.world)],
      bus,
      store,
      registry,
      clock: systemClock,
      logger,
      onFailure: (error) => this.failures.push(error),
    });
    this.#closing.push(() => reactions.stop(1000));
    return reactions;
  }

  async write(homes: number, each: number): Promise<void> {
    for (let n = 0; n < homes * each; n++) {
      const homeid = `ten_${n % homes}`;
      const { position } = await this.writer.append(homeid, 'target');
      this.#written.push({ homeid, position });
    }
  }

  /** Everything written had its effect, once and in the order of its home. */
  check(): void {
    const expected: Record<string, string[]> = {};
    for (const { homeid, position } of this.#written) {
      (expected[keyOf('note', homeid, 'target')] ??= []).push(position);
    }
    expect(Object.fromEntries(this.world.effects)).toEqual(expected);
    expect(this.world.faults).toEqual([]);
    expect(this.failures).toEqual([]);
  }
}
