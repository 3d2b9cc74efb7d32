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
    description: 'Whether its members and API keys are yours to make and to end.',
    resolve: (_account, _args, { viewer }) => may(viewer, 'account.manage'),
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
