/** Ordering what is to be done to a container's packages: operations, as all that nodes have part in. */
import { builder } from '../language/builder.ts';
import { mutation } from '../language/mutation.ts';
import { OperationAccepted, ownerOf, start } from '../provisioning/start.ts';

const accepted = ({ operationId }: { readonly operationId: string }) => ({ operationId });

const NAMES =
  'Names, parts of NEVRAs such as `vim.x86_64` or `vim-9.1`, or what packages provide; up to 200.';

const mutations = {
  install: [
    'Installs packages in a running container, with all they require.',
    'Which, and in which container.',
  ],
  upgrade: [
    'Upgrades packages of a running container to the newest version on offer; all that can be, where none is named.',
    'Which, and in which container.',
  ],
  remove: [
    'Removes packages from a running container. What others require stays.',
    'Which, and from which container.',
  ],
} as const;

for (const action of ['install', 'upgrade', 'remove'] as const) {
  const [description, of] = mutations[action];
  const name = `${action}Packages`;
  mutation(name, {
    description: `${description} One rpm transaction: wholly or not at all.`,
    input: builder.inputType(`${name.charAt(0).toUpperCase()}${name.slice(1)}Input`, {
      description: of,
      fields: (t) => ({
        containerId: t.id({ description: 'The container.' }),
        packages: t.stringList({
          required: action !== 'upgrade',
          description: NAMES,
        }),
      }),
    }),
    type: OperationAccepted,
    act: async ({ containerId, packages }, key, { services }) =>
      start(services, await ownerOf(services, containerId), key, () => ({
        ...{ kind: 'packages', containerId, action, packages: packages ?? [] },
      })),
    payload: accepted,
  });
}

mutation('refreshPackages', {
  description:
    'Has the node of a running container tell what is installed now, also what was changed inside.',
  input: builder.inputType('RefreshPackagesInput', {
    description: 'Of which container.',
    fields: (t) => ({ containerId: t.id({ description: 'The container.' }) }),
  }),
  type: OperationAccepted,
  act: async ({ containerId }, key, { services }) =>
    start(services, await ownerOf(services, containerId), key, () => ({
      ...{ kind: 'packages', containerId, action: 'refresh', packages: [] },
    })),
  payload: accepted,
});
