/** Every service of the system, in the order in which they are listed anywhere. */
import { accountsService } from '@bivouac/accounts';
import { billingService } from '@bivouac/billing';
import { containersService } from '@bivouac/containers';
import { InstructionIssued } from '@bivouac/events/containers';
import { on, projection, type ServiceDefinition } from '@bivouac/infra/runtime';
import { packagesService } from '@bivouac/packages';
import { provisioningService } from '@bivouac/provisioning';
import { quotasService } from '@bivouac/quotas';

export const allServices: readonly ServiceDefinition[] = [
  accountsService,
  containersService,
  quotasService,
  packagesService,
  billingService,
  provisioningService,
];

/** Hears of instructions as the read models apply them; also again, after a rebuild. */
export class InstructionNews {
  readonly #listeners = new Set<(nodeId: string, position: string) => void>();

  /** Calls back for each; answers how to end it. */
  readonly listen = (listener: (nodeId: string, position: string) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** The services, with containers' read model telling of each new instruction. */
  tap(services: readonly ServiceDefinition[] = allServices): readonly ServiceDefinition[] {
    const heard = projection({
      name: 'all.instruction-news',
      tables: [],
      on: [
        on(InstructionIssued, (event) => {
          for (const listener of this.#listeners) listener(event.data.nodeId, event.position);
        }),
      ],
    });
    return services.map((service) =>
      service.name === containersService.name
        ? { ...service, projections: [...service.projections, heard] }
        : service,
    );
  }
}

/**
 * Hears of every change as the read models apply it, by the id of what has changed; also again, after
 * a rebuild. What is heard is in the read model by the next turn of the event loop.
 */
export class ChangeNews {
  readonly #listeners = new Map<string, Set<() => void>>();

  /** Calls back at each change of the thing of this id; answers how to end it. */
  readonly listen = (id: string, listener: () => void): (() => void) => {
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(id) === listeners) this.#listeners.delete(id);
    };
  };

  /** How many things are listened to. */
  get followed(): number {
    return this.#listeners.size;
  }

  /** The services, with the read models of those whose things can be followed telling of changes. */
  tap(services: readonly ServiceDefinition[]): readonly ServiceDefinition[] {
    const followed = new Set([containersService.name, provisioningService.name]);
    return services.map((service) =>
      followed.has(service.name)
        ? { ...service, projections: [...service.projections, this.#heard(service)] }
        : service,
    );
  }

  #heard({ name, events }: ServiceDefinition) {
    return projection({
      name: `all.${name}-changes`,
      tables: [],
      on: [...new Set(events)].map((definition) =>
        on(definition, ({ stream }) => {
          // Nearly always nobody listens, and this is called for every event there is.
          if (this.#listeners.size === 0) return;
          for (const listener of this.#listeners.get(idIn(stream)) ?? []) listener();
        }),
      ),
    });
  }
}

/** Streams are named `<category>-<typeid>`. */
function idIn(stream: string): string {
  return stream.slice(stream.indexOf('-') + 1);
}
