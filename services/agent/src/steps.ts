/**
 * One instruction as calls to the driver. Each call has the same effect twice as once, so an engine
 * that did not answer is asked again until the instruction's time is over.
 */
import type { Instruction, NodePackageReport } from '@bivouac/events/node';

import type { Clock } from './driver-clock.ts';
import {
  type ContainerLimits,
  type Driver,
  DriverError,
  type InstalledPackage,
  type InstanceRef,
  type TransactionReport,
} from './driver.ts';
import type { PackageFiles } from './package-files.ts';
import type { StepAnswer } from './step-answer.ts';
import { identityOf, leftOf, reportOf } from './transaction.ts';

/** Waits between tries, in milliseconds, doubled up to the last. */
const RETRY = { first: 100, last: 5_000 } as const;

/** Runs the step to its answer. Rejects only when the agent is stopping: then nothing is recorded. */
export async function runStep(
  driver: Driver,
  instruction: Instruction,
  options: {
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly files: PackageFiles;
  },
): Promise<StepAnswer> {
  const { clock, signal, files } = options;
  const deadline = Date.parse(instruction.notAfter);
  /** What was installed before the first try: a further one may find all done. */
  let before: readonly InstalledPackage[] | undefined;
  for (let wait: number = RETRY.first; ; wait = Math.min(wait * 2, RETRY.last)) {
    try {
      if (instruction.step === 'packages') {
        before ??= await driver.packages(instruction.containerId);
        return await transact(driver, instruction, { before, files, signal });
      }
      await perform(driver, instruction);
      return { outcome: 'done' };
    } catch (error) {
      if (!(error instanceof DriverError)) throw error;
      const again = error.code === 'engine-unavailable' || error.code === 'outcome-unknown';
      if (!again || clock.now() + wait > deadline) {
        const until = again ? ' It was tried until its time was over.' : '';
        const message = `${`${error.code}: ${error.message}`.slice(0, 1900)}${until}`;
        const packages = await whatIsThere(driver, instruction);
        return { outcome: 'failed', message, ...(packages && { packages }) };
      }
      await clock.sleep(wait, signal);
      signal.throwIfAborted();
    }
  }
}

type PackageInstruction = Extract<Instruction, { readonly step: 'packages' }>;
type OtherInstruction = Exclude<Instruction, PackageInstruction>;

/** `done` comes with what is installed now. */
async function transact(
  driver: Driver,
  instruction: PackageInstruction,
  options: {
    readonly before: readonly InstalledPackage[];
    readonly files: PackageFiles;
    readonly signal: AbortSignal;
  },
): Promise<StepAnswer> {
  const { before, files, signal } = options;
  const { transaction } = instruction.input;
  const { containerId } = instruction;
  const { coming } = leftOf(transaction, await driver.packages(containerId));
  const fetched = await files.fetch(coming, signal);
  try {
    const report = await driver.transact(refOf(instruction), transaction, fetched.paths);
    const installed = await driver.packages(containerId);
    const seen = reportOf(transaction, before, installed, report);
    return { outcome: 'done', packages: reported(seen, installed) };
  } finally {
    await fetched.dispose();
  }
}

/** rpm may have stopped half way: what is installed then is told with the failure. */
async function whatIsThere(
  driver: Driver,
  instruction: Instruction,
): Promise<NodePackageReport | undefined> {
  if (instruction.step !== 'packages') return undefined;
  try {
    const installed = await driver.packages(instruction.containerId);
    return reported({ added: [], removed: [], configFiles: [], output: '' }, installed);
  } catch {
    return undefined;
  }
}

function reported(
  { added, removed, configFiles, output }: TransactionReport,
  installed: readonly InstalledPackage[],
): NodePackageReport {
  return {
    added: added.slice(0, MOST_CHANGED).map(identityOf),
    removed: removed.slice(0, MOST_CHANGED).map(identityOf),
    configFiles: configFiles.slice(0, MOST_FILES).map((path) => path.slice(0, 1000)),
    output: output.slice(-MOST_OUTPUT),
    installed: installed.map(identityOf),
  };
}

/** What a report has room for. */
const MOST_CHANGED = 400;
const MOST_FILES = 1000;
const MOST_OUTPUT = 4000;

function refOf({ containerId, generation, instructionId }: Instruction): InstanceRef {
  return { containerId, generation, instructionId };
}

async function perform(driver: Driver, instruction: OtherInstruction): Promise<void> {
  const ref = refOf(instruction);
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
