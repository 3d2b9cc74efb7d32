/** Bugs of services, as faulty policies, responders and decisions in the place of the right ones. */
import { LeaseVoided, PlacementVoided } from '@bivouac/events/containers';
import { AskAnswered, answerStream, type AskRef, asks } from '@bivouac/events/operations';
import { ReservationVoided } from '@bivouac/events/quotas';
import type { EventStore } from '@bivouac/infra/event-store';

import type { Plant } from '../system.ts';

/** A reaction counts as done when it was begun. */
export const checkpointBeforeEffect: Plant = {
  services: (services) =>
    services.map((service) => ({
      ...service,
      policies: service.policies.map((policy) => ({
        ...policy,
        react: (event, context) => {
          policy.react(event, context).catch(() => undefined);
          return Promise.resolve();
        },
      })),
    })),
};

/** How a step is undone is known only to who has heard that it was done. */
export const compensateAfter: Plant = {
  services: (services, store) =>
    services.map((service) => ({
      ...service,
      responders: service.responders.map((responder) => ({
        ...responder,
        act: async (input, ref, event, context) => {
          const undone = undoneBy(ref);
          const simple = asks[responder.ask].result.safeParse({}).success;
          if (simple && undone !== undefined && !(await wasDone(store, undone))) {
            return { outcome: 'done', result: {} };
          }
          return responder.act(input, ref, event, context);
        },
        undo: () => Promise.resolve(),
      })),
    })),
};

const tombstones: ReadonlySet<string> = new Set(
  [ReservationVoided, PlacementVoided, LeaseVoided].map(({ type }) => type),
);

/** Undoing what has not happened leaves nothing that would refuse it later. */
export const noTombstone: Plant = {
  services: (services) =>
    services.map((service) => ({
      ...service,
      commands: service.commands.map((handler) => ({
        ...handler,
        spec: {
          ...handler.spec,
          decide: (state, input, context) => {
            const decision = handler.spec.decide(state, input, context);
            if (decision.kind === 'refused') return decision;
            const events = decision.events.filter(({ type }) => !tombstones.has(type));
            return { ...decision, events };
          },
        },
      })),
    })),
};

/** The step that an ask undoes, which is in its name. */
function undoneBy({ operationId, step }: AskRef): AskRef | undefined {
  const [, name, attempt] = /^undo-(.+)-(\d+)$/.exec(step) ?? [];
  if (name === undefined || attempt === undefined) return undefined;
  return { operationId, step: name, attempt: Number(attempt) };
}

async function wasDone(store: EventStore, ref: AskRef): Promise<boolean> {
  const page = await store.readStream(answerStream(ref), { limit: 1 });
  const [answer] = page.exists ? page.events : [];
  if (answer === undefined) return false;
  const body = AskAnswered.schema.parse(JSON.parse(Buffer.from(answer.data).toString('utf8')));
  return body.outcome === 'done';
}
