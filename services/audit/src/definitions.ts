/** Every event type of every context: audit's slice is all that happens. */
import { accountsEvents } from '@bivouac/events/accounts';
import { auditEvents } from '@bivouac/events/audit';
import { billingEvents } from '@bivouac/events/billing';
import { containersEvents } from '@bivouac/events/containers';
import type { EventDefinition } from '@bivouac/events/language';
import { operationProtocolEvents } from '@bivouac/events/operations';
import { packagesEvents } from '@bivouac/events/packages';
import { operationEvents } from '@bivouac/events/provisioning';
import { quotasEvents } from '@bivouac/events/quotas';

/** How far reactions have come is no fact of the business: checkpoints are on no trail. */
export const everyEvent: readonly EventDefinition[] = [
  ...accountsEvents,
  ...auditEvents,
  ...billingEvents,
  ...containersEvents,
  ...operationEvents,
  ...operationProtocolEvents,
  ...packagesEvents,
  ...quotasEvents,
];

/** By type name. */
export const definitionOf: ReadonlyMap<string, EventDefinition> = new Map(
  everyEvent.map((definition) => [definition.type, definition]),
);
