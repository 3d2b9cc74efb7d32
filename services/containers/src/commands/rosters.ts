/** Commands of this context's own reactions on a tree's roster. */
import { command } from '@bivouac/events/language';
import { HoldSchema } from '@bivouac/events/operations';
import { idOf } from '@bivouac/events/values';
import { handler } from '@bivouac/infra/runtime';
import { z } from 'zod';

import {
  enterContainer,
  keepOut,
  leaveRoster,
  liftRosterHold,
  placeRosterHold,
} from '../domain/roster.ts';
import { roster, streamOf } from './aggregates.ts';

/** The tree; its roster belongs to the tenant at its head. */
const homeId = idOf('tenant');
const nothing = z.strictObject({});
const tenantIds = z.array(idOf('tenant')).min(1);

export const EnterContainer = command({
  name: 'containers.EnterContainer',
  access: 'internal',
  input: z.strictObject({ homeId, containerId: idOf('container'), tenantId: idOf('tenant') }),
  result: nothing,
});

export const LeaveRoster = command({
  name: 'containers.LeaveRoster',
  access: 'internal',
  input: z.strictObject({ homeId, containerId: idOf('container') }),
  result: nothing,
});

/** Of a container that was given up before it was made: it leaves, or never enters. */
export const KeepOut = command({
  name: 'containers.KeepOut',
  access: 'internal',
  input: z.strictObject({ homeId, containerId: idOf('container') }),
  result: nothing,
});

export const PlaceRosterHold = command({
  name: 'containers.PlaceRosterHold',
  access: 'internal',
  input: z.strictObject({ homeId, hold: HoldSchema, tenantIds }),
  result: nothing,
});

export const LiftRosterHold = command({
  name: 'containers.LiftRosterHold',
  access: 'internal',
  input: z.strictObject({ homeId, holdId: idOf('hold'), tenantIds }),
  result: nothing,
});

const ofTree = {
  stream: (input: { readonly homeId: string }) => streamOf.roster(input.homeId),
  owner: (input: { readonly homeId: string }) => ({
    tenantId: input.homeId,
    homeId: input.homeId,
  }),
  result: () => ({}),
};

export const rosterCommands = [
  handler(EnterContainer, roster, { ...ofTree, decide: enterContainer }),
  handler(LeaveRoster, roster, { ...ofTree, decide: leaveRoster }),
  handler(KeepOut, roster, { ...ofTree, decide: keepOut }),
  handler(PlaceRosterHold, roster, { ...ofTree, decide: placeRosterHold }),
  handler(LiftRosterHold, roster, { ...ofTree, decide: liftRosterHold }),
];
