/** What whoever asks can do with an account, by the rights of their key and as the account stands. */
import { builder } from '../language/builder.ts';
import { may, mayAsStaff } from '../request/viewer.ts';
import { AccountRef } from './account.ts';

builder.objectFields(AccountRef, (t) => ({
  viewerCanRename: t.boolean({
    description: 'Whether `renameTenant` is yours to ask for.',
    resolve: (_account, _args, { viewer }) => may(viewer, 'account.manage'),
  }),
  viewerCanManagePeople: t.boolean({
    description:
      'Whether its members, invitations and API keys are yours to make and to end. False of an account ' +
      'that is closed: there they can still be ended from above.',
    resolve: ({ closed }, _args, { viewer }) => !closed && may(viewer, 'account.manage'),
  }),
  viewerCanCreateTenant: t.boolean({
    description:
      'Whether `createTenant` below it is yours to ask for and something may stand there.',
    resolve: ({ kind, closed }, _args, { viewer }) =>
      (kind === 'reseller' || kind === 'customer') && !closed && may(viewer, 'account.manage'),
  }),
  viewerCanClose: t.boolean({
    description:
      'Whether `closeTenant` is yours to ask for: it is done from above, and once. What is open below ' +
      'must be closed first.',
    resolve: ({ id, kind, closed }, _args, { viewer }) =>
      kind !== 'provider' && !closed && id !== viewer.tenantId && may(viewer, 'account.manage'),
  }),
  viewerCanActFor: t.boolean({
    description: 'Whether `startActing` is yours to ask for: the staff’s.',
    resolve: ({ kind }, _args, { viewer }) =>
      kind !== 'provider' && mayAsStaff(viewer, 'customers.manage'),
  }),
  viewerCanOrder: t.boolean({
    description:
      'Whether `provisionContainer` is yours to ask for and the account may have containers as it ' +
      'stands; quota and room are known only once it is asked.',
    resolve: ({ kind, closed, holds }, _args, { viewer }) =>
      kind !== 'provider' && !closed && holds.length === 0 && may(viewer, 'containers.order'),
  }),
  viewerCanHold: t.boolean({
    description: 'Whether `placeHold` and `liftHold` are yours to ask for: the staff’s.',
    resolve: ({ kind }, _args, { viewer }) =>
      kind !== 'provider' && mayAsStaff(viewer, 'customers.manage'),
  }),
}));
