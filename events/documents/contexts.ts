/** Every event type of the published language, by the context that writes it. */
import { accountsEvents } from '../accounts/index.ts';
import { auditEvents } from '../audit/index.ts';
import { billingEvents } from '../billing/index.ts';
import { containersEvents } from '../containers/index.ts';
import type { EventDefinition } from '../language/index.ts';
import { operationProtocolEvents } from '../operations/index.ts';
import { packagesEvents } from '../packages/index.ts';
import { operationEvents } from '../provisioning/index.ts';
import { quotasEvents } from '../quotas/index.ts';

const all: readonly EventDefinition[] = [
  ...accountsEvents,
  ...billingEvents,
  ...containersEvents,
  ...operationEvents,
  ...operationProtocolEvents,
  ...packagesEvents,
  ...quotasEvents,
  ...auditEvents,
];

/** By the part of the type before the dot, each context and each type in the order of its name. */
export function eventsByContext(): ReadonlyMap<string, readonly EventDefinition[]> {
  const contexts = new Map<string, EventDefinition[]>();
  const byType = new Map(all.map((definition) => [definition.type, definition]));
  for (const [type, definition] of [...byType].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const context = type.slice(0, type.indexOf('.'));
    contexts.set(context, [...(contexts.get(context) ?? []), definition]);
  }
  return contexts;
}
