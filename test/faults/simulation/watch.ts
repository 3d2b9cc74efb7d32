/**
 * Sees every reaction that runs, so that it can be told afterwards which never came to its end, and at
 * once which one runs though its checkpoint says that it was done.
 */
import { is, parsePosition, type Recorded } from '@bivouac/events/language';
import { isPublished, partitionOf } from '@bivouac/infra/bus';
import { CheckpointRecorded, type ServiceDefinition } from '@bivouac/infra/runtime';
import { allServices } from '@bivouac/all/services';

import type { SimulatedProcess } from './process.ts';

const PREFIX = 'checkpoint-';

export class Watch {
  readonly violations: string[] = [];
  /** Of each service, how far its reactions were done by its last checkpoint. */
  readonly #marks = new Map<string, readonly bigint[]>();
  /** By process and service: nothing at or below may run again there. */
  readonly #floors = new Map<string, bigint[]>();
  readonly #done = new Set<string>();

  /** Something is in the log. */
  hear(event: Recorded): void {
    if (!is(event, CheckpointRecorded)) return;
    const service = event.stream.slice(PREFIX.length);
    const marks = event.data.marks.map((mark) => BigInt(mark === '' ? 0 : mark));
    this.#marks.set(service, marks);
    // Whoever had a partition meanwhile may write that it had come less far: from there it goes on.
    for (const [of, floors] of this.#floors) {
      if (!of.endsWith(` ${service}`)) continue;
      floors.forEach((floor, p) => {
        const mark = marks[p] ?? 0n;
        if (mark < floor) floors[p] = mark;
      });
    }
  }

  /** The services as a process is about to run them. */
  watched(
    services: readonly ServiceDefinition[],
    process: SimulatedProcess,
  ): readonly ServiceDefinition[] {
    return services.map((service) => {
      this.#floors.set(`${process.name} ${service.name}`, [
        ...(this.#marks.get(service.name) ?? []),
      ]);
      return {
        ...service,
        policies: service.policies.map((policy) => ({
          ...policy,
          react: async (event, context) => {
            this.#began(service.name, policy.name, event, process);
            await policy.react(event, context);
            if (!process.over) this.#done.add(`${policy.name} ${event.id}`);
          },
        })),
      };
    });
  }

  /** Reactions that never came to their end, of these events. */
  skipped(events: readonly Recorded[]): string[] {
    const violations: string[] = [];
    for (const event of events) {
      if (!isPublished(event.stream)) continue;
      for (const { policies } of allServices) {
        for (const policy of policies) {
          if (!policy.definitions.some(({ type }) => type === event.type)) continue;
          if (policy.target(event) === undefined) continue;
          if (this.#done.has(`${policy.name} ${event.id}`)) continue;
          violations.push(`${policy.name} never ran on ${event.type} at ${event.position}`);
        }
      }
    }
    return violations;
  }

  #began(service: string, policy: string, event: Recorded, process: SimulatedProcess): void {
    const floor = this.#floors.get(`${process.name} ${service}`)?.[partitionOf(event.homeid)] ?? 0n;
    if (parsePosition(event.position) > floor || process.over) return;
    this.violations.push(
      `${policy} ran on ${event.type} at ${event.position}, which was done up to ${floor}`,
    );
  }
}
