/** One run: the order is given in a forked world in which something goes wrong, until all is at rest. */
import type { Outcome } from '@bivouac/all/checks/ends';
import { Standing } from '@bivouac/all/checks/standing';
import { Reconcile } from '@bivouac/containers/api';
import { is } from '@bivouac/events/language';
import { OperationStarted, StepEnded } from '@bivouac/events/provisioning';
import {
  CancelOperation,
  ResolveOperation,
  RetryOperation,
  StartOperation,
} from '@bivouac/provisioning/api';

import { planOf, type StepResult } from '../../../services/provisioning/src/domain/plans/index.ts';
import { violationsOf } from './checks.ts';
import type { Disk } from './disk.ts';
import type { GivenOrder, Ready } from './kinds.ts';
import type { Failpoint, Life } from './life.ts';
import { ends, facts, portrait } from './portrait.ts';
import { type ProcessOptions, type Running, startProcess } from './process.ts';
import { quiet, rest, standings } from './rest.ts';
import {
  type EngineFault,
  EngineSabotage,
  repeated,
  Sabotage,
  type StepFault,
} from './sabotage.ts';
import { staff } from './staff.ts';

export interface RunOptions {
  /** Where the process dies: the first one, then the one after it, and so on. */
  readonly deaths?: readonly Failpoint[];
  /** How it dies there, where it is a real process. */
  readonly die?: () => void;
  /** Where the agent alone dies. */
  readonly agentDiesAt?: Failpoint;
  /** It is cancelled when it can get no further without time. */
  readonly cancelled?: boolean;
  /** Steps that go wrong. Before staff have something tried again, the last of them is mended. */
  readonly faults?: readonly StepFault[];
  readonly engineFault?: EngineFault;
  /** Whatever reacts does so twice. */
  readonly twice?: boolean;
  /** What staff do with what waits for them: have it tried again, or end it, since all is as it should be. */
  readonly staff?: 'resolve';
  /** At the end, staff have reconciled what differs from what is wanted. */
  readonly reconciled?: boolean;
  /** A second process with the same log does the same beside it. */
  readonly twins?: boolean;
  /** Once all is at rest, it dies without having written down how far it was, and all comes again. */
  readonly amnesia?: boolean;
}

/** An answer that an operation was given. */
export interface Step {
  readonly kind: string;
  readonly step: string;
  readonly outcome: string;
}

/** A step of a plan. */
export interface Planned {
  readonly kind: string;
  readonly step: string;
  /** It is undone by an ask of its own. */
  readonly undone: boolean;
}

export interface Ran {
  readonly violations: readonly string[];
  /** How the order ended. */
  readonly outcome: Outcome;
  /** Staff had to have it tried again. */
  readonly helped: boolean;
  readonly steps: readonly Step[];
  /** What its plan, and those of its children, came to. */
  readonly planned: readonly Planned[];
  readonly portrait: readonly string[];
  readonly ends: readonly string[];
  /** Recorded in it. */
  readonly events: number;
  /** Nothing came of the order, nor of any child of it. */
  readonly undone: boolean;
  readonly facts: readonly string[];
  /** Failpoints of each life, in their order. */
  readonly lives: readonly (readonly Failpoint[])[];
}

export async function run(ready: Ready, options: RunOptions = {}): Promise<Ran> {
  const disk = await ready.disk.fork();
  try {
    return await playOn(disk, ready, options);
  } finally {
    await disk.dispose();
  }
}

/** A run on this disk, which is changed by it. */
export function playOn(disk: Disk, ready: GivenOrder, options: RunOptions = {}): Promise<Ran> {
  return new Run(ready, disk, options).play();
}

class Run {
  readonly #ready: GivenOrder;
  readonly #disk: Disk;
  readonly #options: RunOptions;
  readonly #sabotages: readonly Sabotage[];
  readonly #engine: EngineSabotage | undefined;
  readonly #lives: (readonly Failpoint[])[] = [];
  readonly #violations: string[] = [];

  constructor(ready: GivenOrder, disk: Disk, options: RunOptions) {
    const { faults = [], engineFault } = options;
    this.#ready = ready;
    this.#disk = disk;
    this.#options = options;
    this.#sabotages = faults.map((fault) => new Sabotage(fault));
    this.#engine = engineFault && new EngineSabotage(engineFault);
  }

  async play(): Promise<Ran> {
    const disk = this.#disk;
    const { deaths = [], die, twins, amnesia } = this.#options;
    for (const dieAt of deaths) {
      const { life, running } = await startProcess(disk, { ...this.#parts(), dieAt, die });
      if (running !== undefined) await this.#order(running);
      if (!life.dead) this.#violations.push(`it did not come to ${dieAt}`);
      await this.#bury(life);
    }
    const { agentDiesAt } = this.#options;
    let running = await this.#start({ agentDiesAt });
    const twin = twins === true ? await this.#start({ agent: 'none' }) : undefined;
    const [operationId] = await Promise.all([
      this.#order(running),
      ...(twin === undefined ? [] : [this.#order(twin)]),
    ]);
    if (amnesia === true) {
      await this.#bury(running.life);
      running = await this.#start();
      await this.#order(running);
    }
    // What comes of staff's help is not what the order does by itself.
    const passed = [...running.life.passed];
    if (agentDiesAt !== undefined && !passed.includes(agentDiesAt)) {
      this.#violations.push(`the agent did not come to ${agentDiesAt}`);
    }
    const helped = await this.#help(running);
    if (this.#options.reconciled === true) await this.#reconcile(running);
    const operations = await this.#operations();
    const ran = {
      ...{ helped, steps: await this.#steps(), planned: await this.#planned() },
      lives: [...this.#lives, passed],
      outcome: (await standings(disk)).get(operationId)?.outcome ?? 'running',
      events: (await this.#since()).length,
      undone: isUndone(operations, operationId),
      ...{ portrait: await portrait(disk), ends: await ends(disk), facts: await facts(disk) },
    };
    this.#violations.push(...(await violationsOf(disk, running, false)));
    for (const one of this.#sabotages) one.heal();
    this.#engine?.heal();
    if (this.#engine?.hits === 0) this.#violations.push('the engine was not asked for the step');
    if (ran.outcome !== 'needs-attention') await this.#moveOut(running);
    for (const one of [running, twin]) if (one !== undefined) await this.#bury(one.life);
    return { ...ran, violations: this.#violations };
  }

  /** Staff see to what waits for them. Answers whether anything did. */
  async #help(running: Running): Promise<boolean> {
    const waiting = [...(await standings(this.#disk))].filter(
      ([, { outcome }]) => outcome === 'needs-attention',
    );
    if (waiting.length === 0) return false;
    this.#violations.push(...(await violationsOf(this.#disk, running, false)));
    this.#sabotages.at(-1)?.heal();
    this.#engine?.heal();
    for (const [operationId] of waiting) {
      const act = { operationId, reason: 'it is mended' };
      const call = { principal: staff, idempotencyKey: `staff on ${operationId}` };
      const does = this.#options.staff === 'resolve' ? ResolveOperation : RetryOperation;
      const reply = await running.host.command(does, act, call);
      if (!reply.ok) this.#violations.push(`staff cannot help: ${reply.refusal.message}`);
    }
    await this.#rest(running);
    return true;
  }

  async #reconcile(running: Running): Promise<void> {
    this.#engine?.heal();
    const call = { principal: staff, idempotencyKey: 'as it is wanted' };
    const reply = await running.host.command(Reconcile, {}, call);
    if (!reply.ok) this.#violations.push(`nothing is reconciled: ${reply.refusal.message}`);
    await this.#rest(running);
  }

  #parts(): ProcessOptions {
    const engine = this.#engine;
    return {
      services: (services) => {
        const sabotaged = this.#sabotages.reduce((list, one) => one.services(list), services);
        return this.#options.twice === true ? repeated(sabotaged) : sabotaged;
      },
      ...(engine && {
        engineFault: (step) => {
          engine.strike(step);
        },
      }),
    };
  }

  async #start(how: Pick<ProcessOptions, 'agent' | 'agentDiesAt'> = {}): Promise<Running> {
    const { running } = await startProcess(this.#disk, { ...this.#parts(), ...how });
    if (running === undefined) throw new Error('nobody was to die');
    return running;
  }

  async #bury(life: Life): Promise<void> {
    life.kill();
    await life.gone();
    this.#lives.push(life.passed);
  }

  /** Gives the order, as often as it takes: who orders does not know whether it was taken. */
  async #order(running: Running): Promise<string> {
    const { order, tenantId, homeId } = this.#ready;
    const reply = await Promise.race([
      running.host.command(
        StartOperation,
        { order, tenantId, homeId },
        { principal: staff, idempotencyKey: 'the order' },
      ),
      running.life.died,
    ]);
    if (reply === undefined) return '';
    if (!reply.ok) throw new Error(`the order is refused: ${reply.refusal.message}`);
    const { operationId } = reply.result;
    if (this.#options.cancelled === true) await this.#cancel(running, operationId);
    await this.#rest(running);
    return operationId;
  }

  /** Asks for it to stop. What has been taken and cannot be taken back goes on. */
  async #cancel({ host }: Running, operationId: string): Promise<void> {
    await quiet(this.#disk);
    const call = { principal: staff, idempotencyKey: 'off again' };
    const reply = await host.command(CancelOperation, { operationId }, call);
    if (reply.ok || reply.refusal.code === 'OPERATION_CANNOT_BE_CANCELLED') return;
    this.#violations.push(`it cannot be cancelled: ${reply.refusal.message}`);
  }

  async #rest(running: Running): Promise<void> {
    if (await rest(this.#disk, running, this.#ready.until)) return;
    this.#violations.push('it does not come to rest');
  }

  /** Everything is terminated: then nothing may be left. */
  async #moveOut(running: Running): Promise<void> {
    const { customer } = this.#ready.seeded;
    const { containers } = new Standing(await this.#disk.history());
    for (const { containerId, lifecycle } of containers.values()) {
      if (lifecycle === 'gone') continue;
      const order = { kind: 'terminate' as const, containerId, reason: 'moving out' };
      const call = { principal: staff, idempotencyKey: `out of ${containerId}` };
      const reply = await running.host.command(StartOperation, { order, ...customer }, call);
      if (!reply.ok) this.#violations.push(`no moving out: ${reply.refusal.message}`);
    }
    await this.#rest(running);
    const left = await violationsOf(this.#disk, running, true);
    this.#violations.push(...left.map((what) => `after moving out: ${what}`));
  }

  /** What was recorded since the order. */
  async #since() {
    return (await this.#disk.history()).slice(this.#ready.recorded);
  }

  async #operations(): Promise<ReadonlyMap<string, { kind: string; outcome: Outcome }>> {
    const { operations } = new Standing(await this.#disk.history());
    const mine = (await this.#since()).flatMap((event) =>
      is(event, OperationStarted) ? [event.data.operationId] : [],
    );
    return new Map([...operations].filter(([operationId]) => mine.includes(operationId)));
  }

  async #steps(): Promise<Step[]> {
    const kinds = await this.#operations();
    return (await this.#since()).flatMap((event) => {
      if (!is(event, StepEnded)) return [];
      const { ref, outcome } = event.data;
      const { step, operationId } = ref;
      return [{ kind: kinds.get(operationId)?.kind ?? '', step, outcome }];
    });
  }

  async #planned(): Promise<Planned[]> {
    const since = await this.#since();
    return since.flatMap((event) => {
      if (!is(event, OperationStarted)) return [];
      const { operationId, order, target, tenantId, kind } = event.data;
      const results: Record<string, StepResult> = {};
      for (const one of since) {
        if (!is(one, StepEnded) || one.data.ref.operationId !== operationId) continue;
        const { ref, result, outcome } = one.data;
        if (outcome === 'done') results[ref.step] = { attempt: ref.attempt, result: result ?? {} };
      }
      const facts = { operationId, order, target, tenantId, startedAt: event.time, results };
      const { steps } = planOf(facts);
      return steps.map(({ name: step, undo }) => ({ kind, step, undone: undo !== undefined }));
    });
  }
}

/** It failed or was cancelled; of what has children, each of them did, for they go on to their own ends. */
function isUndone(
  operations: ReadonlyMap<string, { readonly outcome: Outcome }>,
  operationId: string,
): boolean {
  const children = [...operations.keys()].filter((id) => id !== operationId);
  const those = children.length > 0 ? children : [operationId];
  return those.every((id) => {
    const outcome = operations.get(id)?.outcome;
    return outcome === 'failed' || outcome === 'cancelled';
  });
}
