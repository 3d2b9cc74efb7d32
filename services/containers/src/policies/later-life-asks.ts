/**
 * Answers the asks of a container's later life. Most are answered `later`, by settle-asks.ts, when
 * its node has acted. None has an `undo`: a further attempt finds it done.
 */
import { responder } from '@bivouac/infra/runtime';

import { container, streamOf } from '../commands/aggregates.ts';
import { carried } from '../commands/asking.ts';
import {
  ChangePackages,
  LetGo,
  PowerContainer,
  RemoveAddresses,
  RestoreContainer,
  SoftDelete,
} from '../commands/later-life.ts';
import { reservationsOf } from '../domain/container/index.ts';
import { accepted } from './container-asks.ts';

const power = responder('containers.power', {
  act: async (input, context, ask) =>
    accepted(await context.execute(PowerContainer, { ...input, ...carried(ask) })),
});

const removeAddresses = responder('containers.remove-addresses', {
  act: async (input, context, ask) =>
    accepted(await context.execute(RemoveAddresses, { ...input, ...carried(ask) })),
});

const softDelete = responder('containers.soft-delete', {
  act: async (input, context, ask) =>
    accepted(await context.execute(SoftDelete, { ...input, ...carried(ask) })),
});

const restore = responder('containers.restore', {
  act: async (input, context, ask) =>
    accepted(await context.execute(RestoreContainer, { ...input, ...carried(ask) })),
});

const packages = responder('containers.packages', {
  act: async (input, context, ask) =>
    accepted(await context.execute(ChangePackages, { ...input, ...carried(ask) })),
});

const letGo = responder('containers.let-go', {
  act: async (input, context) => {
    const reply = await context.execute(LetGo, input);
    // What was never made is not held either.
    if (!reply.ok && reply.refusal.code !== 'NOT_FOUND') {
      return { outcome: 'refused', refusal: reply.refusal };
    }
    const { state } = await context.load(container, streamOf.container(input.containerId));
    return { outcome: 'done', result: { reservationIds: [...reservationsOf(state)] } };
  },
});

export const laterLifeAsks = [power, removeAddresses, softDelete, restore, packages, letGo];
