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
  tap(): readonly ServiceDefinition[] {
    const heard = projection({
      name: 'all.instruction-news',
      tables: [],
      on: [
        on(InstructionIssued, (event) => {
          for (const listener of this.#listeners) listener(event.data.nodeId, event.position);
        }),
      ],
    });
    return allServices.map((service) =>
      service === containersService
        ? { ...service, projections: [...service.projections, heard] }
        : service,
    );
  }
}
