/** Every service of the system, in the order in which they are listed anywhere. */
import { accountsService } from '@bivouac/accounts';
import { auditService } from '@bivouac/audit';
import { billingService } from '@bivouac/billing';
import { containersService } from '@bivouac/containers';
import {
  InstructionIssued,
  NodeIdentityRevoked,
  StrayDestructionOrdered,
} from '@bivouac/events/containers';
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
  auditService,
];

/** Hears what concerns connected nodes as the read models apply it; also again, after a rebuild. */
export class NodeNews {
  readonly #listeners = new Set<(nodeId: string, position: string) => void>();
  readonly #revocations = new Set<(nodeId: string, publicKey: string) => void>();

  /** Calls back for each new instruction; answers how to end it. */
  readonly onInstruction = (listener: (nodeId: string, position: string) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Calls back for each key of a node that is revoked; answers how to end it. */
  readonly onRevoked = (listener: (nodeId: string, publicKey: string) => void): (() => void) => {
    this.#revocations.add(listener);
    return () => this.#revocations.delete(listener);
  };

  /** The services, with containers' read model telling of these. */
  tap(): readonly ServiceDefinition[] {
    const heard = projection({
      name: 'all.node-news',
      tables: [],
      on: [
        on(InstructionIssued, (event) => {
          for (const listener of this.#listeners) listener(event.data.nodeId, event.position);
        }),
        on(StrayDestructionOrdered, (event) => {
          for (const listener of this.#listeners) listener(event.data.nodeId, event.position);
        }),
        on(NodeIdentityRevoked, ({ data: { nodeId, publicKey } }) => {
          if (publicKey === null) return;
          for (const listener of this.#revocations) listener(nodeId, publicKey);
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
