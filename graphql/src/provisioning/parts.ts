/** What an operation is made of for its readers: steps, children, what staff did and what was left. */
import type { OperationView } from '@bivouac/provisioning/api';

import { outcomeError, UserErrorRef } from '../errors/user-error.ts';
import { builder } from '../language/builder.ts';
import { enumeration } from '../language/enumeration.ts';

export const OperationKind = enumeration('OperationKind', 'What an operation is to achieve.', {
  provision: 'A container that runs.',
  suspend: 'A hold on a container, which is stopped.',
  resume: 'The hold lifted.',
  power: 'A container started, stopped, restarted, frozen or thawed.',
  resize: 'Another plan for a container, at once or at the end of its period.',
  'add-address': 'More addresses on a container.',
  'remove-address': 'Fewer addresses on a container.',
  packages: 'Packages of a container installed, upgraded, removed or looked at again.',
  delete: 'The container deleted, and kept for some days in which it can be restored.',
  restore: 'A deleted container as it was before.',
  cancel: 'The container given up by its owner, at once or at the end of its period.',
  terminate: 'The container destroyed, and all it held given back.',
  'close-month': 'A month of an account rated and invoiced.',
  'run-month': 'A month of every account of an issuer rated and invoiced.',
});

export const OperationStatus = enumeration('OperationStatus', 'How far an operation has come.', {
  running: 'Under way.',
  undoing: 'It failed or was cancelled; what it did is being undone.',
  succeeded: 'Done.',
  'needs-attention': 'It cannot go on by itself; the provider’s staff see to it.',
  closing: 'The staff end it; it lets go of what it acts on.',
  failed: 'It failed; what it did is undone. `error` says why.',
  cancelled: 'It was cancelled; what it did is undone.',
  resolved: 'The staff did by hand what it should have done.',
  released: 'The staff gave it up.',
});

const StepStatus = enumeration('StepStatus', 'How an ask of an operation ended.', {
  asked: 'No answer yet.',
  done: 'Done.',
  refused: 'Refused by who was asked.',
  failed: 'Tried, and it failed.',
  'timed-out': 'No answer in time; a late one is undone.',
});

export const OperationStepRef = builder
  .objectRef<OperationView['steps'][number]>('OperationStep')
  .implement({
    description: 'One ask of an operation, e.g. to reserve quota or to build the container.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'The step, e.g. `reserve` or `undo-lease`.' }),
      ask: t.exposeString('ask', {
        description: 'Who was asked for what, e.g. `quotas.reserve`.',
      }),
      attempt: t.exposeInt('attempt', { description: 'From 1.' }),
      context: t.string({
        description: 'The context that has to answer, e.g. `quotas`.',
        resolve: ({ ask }) => ask.slice(0, ask.indexOf('.')),
      }),
      status: t.expose('status', { type: StepStatus, description: 'How it ended.' }),
      askedAt: t.expose('askedAt', { type: 'DateTime', description: 'When it was asked.' }),
      deadline: t.expose('deadline', {
        type: 'DateTime',
        description: 'After that it counts as not answered.',
      }),
      endedAt: t.expose('endedAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it was answered; null while it was not.',
      }),
      againAt: t.field({
        type: 'DateTime',
        nullable: true,
        description:
          'It was refused for something that passes by itself: when it is (or was) asked for again.',
        resolve: ({ againAt }) => againAt ?? null,
      }),
      refusal: t.field({
        type: UserErrorRef,
        nullable: true,
        description: 'Why it was refused or failed.',
        resolve: ({ refusal }) => (refusal === null ? null : outcomeError(refusal)),
      }),
    }),
  });

const StaffAct = enumeration('StaffAct', 'What staff did to an operation that needed attention.', {
  retried: 'Had it go on at the step that needed attention.',
  resolved: 'Did by hand what it should have done, and ended it.',
  released: 'Gave it up.',
});

export const InterventionRef = builder
  .objectRef<OperationView['interventions'][number]>('Intervention')
  .implement({
    description: 'That staff acted on an operation.',
    fields: (t) => ({
      act: t.expose('act', { type: StaffAct, description: 'What they did.' }),
      at: t.expose('at', { type: 'DateTime', description: 'When.' }),
      actor: t.exposeString('actorId', {
        nullable: true,
        description: 'Who, as a lasting pseudonym; only for the staff.',
      }),
      reason: t.exposeString('reason', {
        nullable: true,
        description: 'Why; only for the staff.',
      }),
    }),
  });

export const LeftoverRef = builder
  .objectRef<OperationView['leftovers'][number]>('Leftover')
  .implement({
    description: 'What a released operation had not done or not undone.',
    fields: (t) => ({
      step: t.exposeString('step', { description: 'The step it belongs to.' }),
      ask: t.exposeString('ask', { description: 'The ask that would see to it.' }),
      input: t.expose('input', { type: 'JSON', description: 'What would be asked.' }),
    }),
  });

type Children = NonNullable<OperationView['children']>;

const ChildFailureRef = builder.objectRef<Children['failures'][number]>('ChildFailure').implement({
  description: 'A child that did not succeed.',
  fields: (t) => ({
    operationId: t.exposeID('childId', { description: 'The child, `op_…`.' }),
    subjectId: t.exposeID('subject', { description: 'What it was about, e.g. an account.' }),
    code: t.exposeString('code', { description: 'Of its error, or how it ended.' }),
  }),
});

export const ChildrenCountRef = builder.objectRef<Children>('ChildrenCount').implement({
  description: 'What has become of the children of an operation over many.',
  fields: (t) => ({
    total: t.exposeInt('total', { description: 'How many there are to be.' }),
    started: t.exposeInt('started', { description: 'How many have been started.' }),
    underWay: t.int({
      description: 'Started and going on by themselves.',
      resolve: ({ started, waiting, succeeded, failed }) => started - waiting - succeeded - failed,
    }),
    waiting: t.exposeInt('waiting', { description: 'Waiting for the staff.' }),
    succeeded: t.exposeInt('succeeded', { description: 'Succeeded, or resolved by the staff.' }),
    failed: t.exposeInt('failed', { description: 'Ended otherwise.' }),
    failures: t.expose('failures', {
      type: [ChildFailureRef],
      description: 'The failed ones, the first hundred.',
      extensions: { size: 10 },
    }),
  }),
});
