/** Events of a container's stream between it and its node: what is told, answered and seen. */
import { z } from 'zod';

import { customer, event, staff } from '../language/index.ts';
import { AskRefSchema } from '../operations/index.ts';
import { idOf, InstantSchema } from '../values/index.ts';

const containerId = customer(idOf('container'));
/** The ask it answers to, where an operation holds the container for it. */
const ask = staff(AskRefSchema);

/** The node is to do a step. Fenced: old generations and late ones are refused there. */
export const InstructionIssued = event(
  'containers.InstructionIssued',
  z.strictObject({
    containerId,
    instructionId: staff(idOf('instruction')),
    nodeId: staff(idOf('node')),
    generation: staff(z.number().int().min(1)),
    step: staff(
      z.enum([
        'build',
        'start',
        'stop',
        'freeze',
        'thaw',
        'limits',
        'network',
        'packages',
        'destroy',
      ]),
    ),
    /** Everything the step needs; shape by step in events/node. */
    input: staff(z.record(z.string(), z.unknown())),
    notAfter: staff(InstantSchema),
    ask: ask.optional(),
  }),
);

/** What the node answered, once. */
export const InstructionAnswered = event(
  'containers.InstructionAnswered',
  z.strictObject({
    containerId,
    instructionId: staff(idOf('instruction')),
    outcome: staff(z.enum(['done', 'refused', 'failed', 'timed-out'])),
    message: staff(z.string().max(2000).optional()),
  }),
);

/** What the node sees of it changed. */
export const ObservationChanged = event(
  'containers.ObservationChanged',
  z.strictObject({
    containerId,
    nodeId: staff(idOf('node')),
    generation: staff(z.number().int().min(0)),
    state: customer(z.enum(['absent', 'stopped', 'running', 'frozen', 'error'])),
  }),
);
