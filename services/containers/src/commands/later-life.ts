/** Commands on a container that runs: power, size, fewer addresses, deletion with a window, packages. */
import { command } from '@bivouac/events/language';
import { asks } from '@bivouac/events/operations';
import { idOf, InstantSchema } from '@bivouac/events/values';
import { handler } from '@bivouac/infra/runtime';
import { z } from 'zod';

import * as domain from '../domain/container/index.ts';
import { container, streamOf } from './aggregates.ts';
import { forAsk } from './asking.ts';

const containerId = idOf('container');
const nothing = z.strictObject({});

export const PowerContainer = forAsk('PowerContainer', asks['containers.power'].input);
export const ResizeContainer = forAsk('ResizeContainer', asks['containers.resize'].input);
export const RemoveAddresses = forAsk('RemoveAddresses', asks['containers.remove-addresses'].input);
export const SoftDelete = forAsk('SoftDeleteContainer', asks['containers.soft-delete'].input);
export const RestoreContainer = forAsk('RestoreContainer', asks['containers.restore'].input);
export const ChangePackages = forAsk('ChangePackages', asks['containers.packages'].input);

/** Of an operation that staff have released. */
export const LetGo = command({
  name: 'containers.LetGo',
  access: 'internal',
  input: asks['containers.let-go'].input,
  result: nothing,
});

/** Sent by the timer of a soft deletion. */
export const EndRestoreWindow = command({
  name: 'containers.EndRestoreWindow',
  access: 'internal',
  input: z.strictObject({ containerId, restoreUntil: InstantSchema }),
  result: nothing,
});

/** Sent by the reconciler: by timer, or by order of the staff. */
export const ReconcileContainer = command({
  name: 'containers.ReconcileContainer',
  access: 'internal',
  input: z.strictObject({ containerId }),
  result: nothing,
});

const stream = (input: { readonly containerId: string }) => streamOf.container(input.containerId);
const on = { stream, result: () => ({}) };

export const laterLifeCommands = [
  handler(PowerContainer, container, { ...on, decide: domain.powerContainer }),
  handler(ResizeContainer, container, { ...on, decide: domain.resizeContainer }),
  handler(RemoveAddresses, container, { ...on, decide: domain.removeAddresses }),
  handler(SoftDelete, container, { ...on, decide: domain.softDeleteContainer }),
  handler(RestoreContainer, container, { ...on, decide: domain.restoreContainer }),
  handler(ChangePackages, container, { ...on, decide: domain.changePackages }),
  handler(LetGo, container, { ...on, decide: domain.letGo }),
  handler(EndRestoreWindow, container, { ...on, decide: domain.endRestoreWindow }),
  handler(ReconcileContainer, container, { ...on, decide: domain.reconcileContainer }),
];
