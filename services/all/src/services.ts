/** Every service of the system, in the order in which they are listed anywhere. */
import { accountsService } from '@bivouac/accounts';
import { auditService } from '@bivouac/audit';
import { billingService } from '@bivouac/billing';
import { containersService } from '@bivouac/containers';
import { on, projection, type ServiceDefinition } from '@bivouac/infra/runtime';
import { packagesService } from '@bivouac/packages';
import { provisioningService } from '@bivouac/provisioning';
import { quotasService } from '@bivouac/quotas';

import { type NodeNews, nodeNewsEvents } from './endpoint/node-news.ts';

export const allServices: readonly ServiceDefinition[] = [
  accountsService,
  containersService,
  quotasService,
  packagesService,
  billingService,
  provisioningService,
  auditService,
];

/** The services, with containers' read model telling of what concerns connected nodes. */
export function tapped(
  news: NodeNews,
  services: readonly ServiceDefinition[] = allServices,
): readonly ServiceDefinition[] {
  const heard = projection({
    name: 'all.node-news',
    tables: [],
    on: nodeNewsEvents.map((definition) =>
      on(definition, (event) => {
        news.hear(event);
      }),
    ),
  });
  return services.map((service) =>
    service.name === containersService.name
      ? { ...service, projections: [...service.projections, heard] }
      : service,
  );
}
