/** Commands on a container: what operations ask, what the roster and the nodes say, a new name. */
import { command } from '@bivouac/events/language';
import { asks, HoldSchema, ImageFactsSchema } from '@bivouac/events/operations';
import { idOf } from '@bivouac/events/values';
import { handler } from '@bivouac/infra/runtime';
import { z } from 'zod';

import { RenameContainer, ReportAnswer, ReportObservation } from '../api/index.ts';
import * as domain from '../domain/container/index.ts';
import { container, streamOf } from './aggregates.ts';
import { forAsk, owned } from './asking.ts';
import { stored } from './package-lists.ts';

const nothing = z.strictObject({});

export const RequestContainer = forAsk(
  'RequestContainer',
  asks['containers.prepare'].input
    .pick({ containerId: true, tenantId: true, hostname: true, plan: true })
    .extend({ image: ImageFactsSchema }),
);
export const DiscardContainer = forAsk(
  'DiscardContainer',
  asks['containers.discard'].input.pick({ containerId: true, reason: true }),
);
export const BuildContainer = forAsk(
  'BuildContainer',
  asks['containers.build'].input.extend({ location: z.string().max(40) }),
);
export const HoldContainer = forAsk('HoldContainer', asks['containers.hold'].input);
export const UnholdContainer = forAsk('UnholdContainer', asks['containers.unhold'].input);
export const DestroyContainer = forAsk('DestroyContainer', asks['containers.destroy'].input);
export const AttachAddresses = forAsk('AttachAddresses', asks['containers.attach'].input);
export const DetachAddresses = forAsk('DetachAddresses', asks['containers.detach'].input);

export const PlaceTenantHold = command({
  name: 'containers.PlaceTenantHold',
  access: 'internal',
  input: z.strictObject({ ...owned, containerId: idOf('container'), hold: HoldSchema }),
  result: nothing,
});

export const LiftTenantHold = command({
  name: 'containers.LiftTenantHold',
  access: 'internal',
  input: z.strictObject({ ...owned, containerId: idOf('container'), holdId: idOf('hold') }),
  result: nothing,
});

/** Sent by the timer of an instruction that was not answered. */
export const TimeOutInstruction = command({
  name: 'containers.TimeOutInstruction',
  access: 'internal',
  input: z.strictObject({ containerId: idOf('container'), instructionId: idOf('instruction') }),
  result: nothing,
});

const stream = (input: { readonly containerId: string }) => streamOf.container(input.containerId);
const owner = (input: { readonly tenantId: string; readonly homeId: string }) => ({
  tenantId: input.tenantId,
  homeId: input.homeId,
});
const none = () => ({});

export const containerCommands = [
  handler(RequestContainer, container, {
    stream,
    owner,
    decide: domain.requestContainer,
    result: none,
  }),
  handler(DiscardContainer, container, {
    stream,
    owner,
    decide: domain.discardContainer,
    result: none,
  }),
  handler(BuildContainer, container, { stream, decide: domain.buildContainer, result: none }),
  handler(HoldContainer, container, { stream, decide: domain.holdContainer, result: none }),
  handler(UnholdContainer, container, { stream, decide: domain.unholdContainer, result: none }),
  handler(DestroyContainer, container, { stream, decide: domain.destroyContainer, result: none }),
  handler(AttachAddresses, container, { stream, decide: domain.attachAddresses, result: none }),
  handler(DetachAddresses, container, { stream, decide: domain.detachAddresses, result: none }),
  handler(PlaceTenantHold, container, {
    stream,
    owner,
    decide: domain.placeTenantHold,
    result: none,
  }),
  handler(LiftTenantHold, container, {
    stream,
    owner,
    decide: domain.liftTenantHold,
    result: none,
  }),
  handler(TimeOutInstruction, container, {
    stream,
    decide: domain.timeOutInstruction,
    result: none,
  }),
  handler(ReportAnswer, container, {
    stream,
    prepare: async ({ packages, ...answer }, { blobs }) => ({
      input: {
        ...answer,
        ...(packages === undefined ? {} : { packages: await stored(packages, blobs) }),
      },
    }),
    decide: domain.reportAnswer,
    result: none,
  }),
  handler(ReportObservation, container, {
    stream,
    decide: domain.reportObservation,
    result: none,
  }),
  handler(RenameContainer, container, {
    stream,
    decide: domain.renameContainer,
    result: (_events, { containerId }) => ({ containerId }),
  }),
];
