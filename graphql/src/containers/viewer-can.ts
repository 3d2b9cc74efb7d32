/**
 * What whoever asks can do with a container: the rights of their key, and what the container would
 * not refuse as it stands. It goes on from there: the operation may still find no room or no quota.
 */
import type { ContainerAct } from '@bivouac/containers/api';
import type { Right } from '@bivouac/events/language';

import { builder } from '../language/builder.ts';
import { may, mayAsStaff } from '../request/viewer.ts';
import { ContainerRef } from './container.ts';

interface Wish {
  readonly act: ContainerAct;
  readonly right: Right;
  readonly says: string;
  /** Only the provider's staff. */
  readonly staff?: true;
}

/** By the field; the mutation each speaks of is in its description. */
const wishes = {
  viewerCanStart: { act: 'start', right: 'containers.operate', says: 'startContainer' },
  viewerCanStop: { act: 'stop', right: 'containers.operate', says: 'stopContainer' },
  viewerCanRestart: { act: 'restart', right: 'containers.operate', says: 'restartContainer' },
  viewerCanFreeze: { act: 'freeze', right: 'containers.operate', says: 'freezeContainer' },
  viewerCanThaw: { act: 'thaw', right: 'containers.operate', says: 'thawContainer' },
  viewerCanRename: { act: 'rename', right: 'containers.operate', says: 'renameContainer' },
  viewerCanResize: { act: 'resize', right: 'containers.order', says: 'resizeContainer' },
  viewerCanAddAddresses: { act: 'attach', right: 'containers.order', says: 'addAddresses' },
  viewerCanRemoveAddresses: {
    act: 'removeAddresses',
    right: 'containers.order',
    says: 'removeAddress',
  },
  viewerCanDelete: { act: 'softDelete', right: 'containers.order', says: 'deleteContainer' },
  viewerCanRestore: { act: 'restore', right: 'containers.order', says: 'restoreContainer' },
  viewerCanTerminate: { act: 'delete', right: 'containers.order', says: 'terminateContainer' },
  viewerCanSuspend: {
    act: 'hold',
    right: 'customers.manage',
    says: 'suspendContainer',
    staff: true,
  },
} as const satisfies Readonly<Record<string, Wish>>;

for (const [name, wish] of Object.entries<Wish>(wishes)) {
  const { act, right, says, staff } = wish;
  builder.objectField(ContainerRef, name, (t) =>
    t.boolean({
      description:
        `Whether \`${says}\` is yours to ask for and the container would not refuse it as it ` +
        'stands, also where it is so already.',
      resolve: ({ possible }, _args, { viewer }) =>
        possible.includes(act) && (staff === true ? mayAsStaff(viewer, right) : may(viewer, right)),
    }),
  );
}
