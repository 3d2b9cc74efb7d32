/** Stopping an operation, and what staff do with one that needs attention. */
import {
  CancelOperation,
  ReleaseOperation,
  ResolveOperation,
  RetryOperation,
} from '@bivouac/provisioning/api';

import { builder } from '../language/builder.ts';
import { mutation } from '../language/mutation.ts';
import { accepted, OperationAccepted } from './start.ts';

mutation('cancelOperation', {
  description:
    'Stops a running operation; what it did is undone. It takes what ordering the like would take.',
  input: builder.inputType('CancelOperationInput', {
    description: 'Which operation.',
    fields: (t) => ({ operationId: t.id({ description: 'The operation, `op_…`.' }) }),
  }),
  versioned: true,
  type: OperationAccepted,
  act: ({ operationId }, key, { services }) =>
    services.command(CancelOperation, { operationId }, key),
  payload: accepted,
});

function staffAct(
  name: 'retryOperation' | 'resolveOperation' | 'releaseOperation',
  contract: typeof RetryOperation,
  description: string,
): void {
  mutation(name, {
    description,
    input: builder.inputType(`${name.charAt(0).toUpperCase()}${name.slice(1)}Input`, {
      description: 'Which operation and why.',
      fields: (t) => ({
        operationId: t.id({ description: 'The operation, `op_…`.' }),
        reason: t.string({
          description:
            'Why, in a sentence; for the staff and the auditor. Its owner sees that you acted.',
        }),
      }),
    }),
    versioned: true,
    type: OperationAccepted,
    act: ({ operationId, reason }, key, { services }) =>
      services.command(contract, { operationId, reason }, key),
    payload: accepted,
  });
}

staffAct(
  'retryOperation',
  RetryOperation,
  'Staff: an operation that needs attention goes on at the step that needs it, with new attempts; a RELEASED ' +
    'one gives back those of its `leftovers` on which nothing stands any more.',
);
staffAct(
  'resolveOperation',
  ResolveOperation,
  'Staff: you have done by hand what an operation should have; it lets go of its container and ends.',
);
staffAct(
  'releaseOperation',
  ReleaseOperation,
  'Staff: you give an operation up; it lets go of its container, ends and lists what it leaves.',
);
