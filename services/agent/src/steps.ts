/**
 * One instruction as calls to the driver. Each call has the same effect twice as once, so an engine
 * that did not answer is asked again until the instruction's time is over.
 */
import type { Instruction } from '@bivouac/events/node';

import type { Clock } from './driver-clock.ts';
import { type ContainerLimits, type Driver, DriverError, type InstanceRef } from './driver.ts';
import type { StepAnswer } from './step-answer.ts';

/** Waits between tries, in milliseconds, doubled up to the last. */
const RETRY = { first: 100, last: 5_000 } as const;

/** Runs the step to its answer. Rejects only when the agent is stopping: then nothing is recorded. */
export async function runStep(
  driver: Driver,
  instruction: Instruction,
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<StepAnswer> {
  const { clock, signal } = options;
  const deadline = Date.parse(instruction.notAfter);
  for (let wait: number = RETRY.first; ; wait = Math.min(wait * 2, RETRY.last)) {
    try {
      await perform(driver, instruction);
      return { outcome: 'done' };
    } catch (error) {
      if (!(error instanceof DriverError)) throw error;
      const again = error.code === 'engine-unavailable' || error.code === 'outcome-unknown';
      if (!again || clock.now() + wait > deadline) {
        return { outcome: 'failed', message: `${error.code}: ${error.message}`.slice(0, 2000) };
      }
      await clock.sleep(wait, signal);
      signal.throwIfAborted();
    }
  }
}

async function perform(driver: Driver, instruction: Instruction): Promise<void> {
  const { containerId, generation, instructionId } = instruction;
  const ref: InstanceRef = { containerId, generation, instructionId };
  switch (instruction.step) {
    case 'build': {
      const { image, limits, hostname, addresses } = instruction.input;
      await driver.prepareImage(image);
      await driver.create(ref, {
        image,
        limits: engineLimits(limits),
        network: { hostname, addresses },
      });
      await driver.start(ref);
      return;
    }
    case 'start':
      await driver.start(ref);
      return;
    case 'stop':
      await driver.stop(ref, instruction.input.graceSeconds);
      return;
    case 'freeze':
      await driver.freeze(ref);
      return;
    case 'thaw':
      await driver.thaw(ref);
      return;
    case 'limits':
      await driver.applyLimits(ref, engineLimits(instruction.input.limits));
      return;
    case 'network':
      await driver.configureNetwork(ref, instruction.input);
      return;
    case 'destroy':
      await driver.destroy(ref);
      return;
    case 'packages':
      // Never `done` for what was not done: the operation fails, and nothing has changed.
      throw new DriverError('not-possible', 'this agent runs no package transactions');
  }
}

function engineLimits(limits: {
  readonly cpuMillis: number;
  readonly memoryBytes: string;
  readonly diskBytes: string;
  readonly processes: number;
  readonly cpuUnits: number;
}): ContainerLimits {
  return {
    ...limits,
    memoryBytes: BigInt(limits.memoryBytes),
    diskBytes: BigInt(limits.diskBytes),
  };
}
