/** Each node's queue of unanswered instructions, and their deadlines. */
import {
  InstructionAnswered,
  InstructionIssued,
  StrayDestructionEnded,
  StrayDestructionOrdered,
} from '@bivouac/events/containers';
import { type Instruction, InstructionSchema } from '@bivouac/events/node';
import { plusSeconds } from '@bivouac/events/values';
import { on, projection, timers } from '@bivouac/infra/runtime';
import { table } from '@bivouac/infra/views';

import { ReportStrayAnswer } from '../api/index.ts';
import { TimeOutInstruction } from '../commands/containers.ts';

/** An answer given just in time may still be on its way when the deadline passes, in seconds. */
const GRACE_SECONDS = 1;

export interface InstructionRow {
  readonly instructionId: string;
  readonly nodeId: string;
  readonly position: string;
  readonly instruction: Instruction;
  /** About an instance that is no container's there. */
  readonly stray?: true;
  /** The event that it comes from, and the request behind that. */
  readonly cause: { readonly eventId: string; readonly correlationId: string };
}

export const instructions = table<InstructionRow>()({
  name: 'instructions',
  key: (row) => row.instructionId,
  indexes: {
    byNode: (row) => [row.nodeId, row.position],
    byPosition: (row) => [row.position],
  },
});

export const instructionsProjection = projection({
  name: 'containers.instructions',
  tables: [instructions, timers],
  on: [
    on(InstructionIssued, (event, view) => {
      const { instructionId, containerId, nodeId, generation, step, input, notAfter } = event.data;
      view.put(instructions, {
        instructionId,
        nodeId,
        position: event.position,
        instruction: InstructionSchema.parse({
          step,
          input,
          containerId,
          instructionId,
          generation,
          notAfter,
        }),
        cause: { eventId: event.id, correlationId: event.correlationid },
      });
      view.put(timers, {
        id: timerId(instructionId),
        due: plusSeconds(notAfter, GRACE_SECONDS),
        homeId: event.homeid,
        command: TimeOutInstruction.name,
        input: { containerId, instructionId },
      });
    }),
    on(StrayDestructionOrdered, (event, view) => {
      const { nodeId, reason: _reason, ...fenced } = event.data;
      const { instructionId, containerId, notAfter } = fenced;
      view.put(instructions, {
        instructionId,
        nodeId,
        position: event.position,
        instruction: { step: 'destroy', input: {}, ...fenced },
        stray: true,
        cause: { eventId: event.id, correlationId: event.correlationid },
      });
      view.put(timers, {
        id: timerId(instructionId),
        due: plusSeconds(notAfter, GRACE_SECONDS),
        homeId: event.homeid,
        command: ReportStrayAnswer.name,
        input: { nodeId, containerId, instructionId, outcome: 'timed-out' },
      });
    }),
    on(StrayDestructionEnded, (event, view) => {
      view.delete(instructions, event.data.instructionId);
      view.delete(timers, timerId(event.data.instructionId));
    }),
    on(InstructionAnswered, (event, view) => {
      view.delete(instructions, event.data.instructionId);
      view.delete(timers, timerId(event.data.instructionId));
    }),
  ],
});

function timerId(instructionId: string): string {
  return `instruction/${instructionId}`;
}
