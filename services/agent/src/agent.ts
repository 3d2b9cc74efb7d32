/**
 * The agent of one node: takes instructions from the endpoint, asks its fence, drives the engine,
 * answers, and reports what it sees. It holds no truth: whatever it forgets it is told again.
 */
import { setMaxListeners } from 'node:events';

import {
  type AgentMessage,
  AgentMessageSchema,
  type ClosingReason,
  type EndpointMessage,
  EndpointMessageSchema,
  type Instruction,
  NODE_PROTOCOL,
} from '@bivouac/events/node';
import { inSpan, isTracing, spanNamed, type Spanned } from '@bivouac/infra/tracing';

import type { Clock } from './driver-clock.ts';
import type { Driver, NodeInventory, ObservedInstance } from './driver.ts';
import { type Connect, type EndpointConnection, NotAdmitted } from './connection.ts';
import type { Fence } from './fence/fence.ts';
import { type PackageFiles, webPackageFiles } from './package-files.ts';
import { type AgentMeasures, unmeasured } from './measures.ts';
import type { Metering } from './metering/metering.ts';
import type { StepAnswer } from './step-answer.ts';
import { runStep } from './steps.ts';

/** The endpoint wants no more of this agent until somebody changes something. */
export interface Dismissal {
  readonly reason: ClosingReason;
  readonly message: string;
}

export interface AgentOptions {
  readonly nodeId: string;
  readonly driver: Driver;
  readonly fence: Fence<StepAnswer>;
  /** Counts what containers use; without it nothing is reported. Stopped with the agent. */
  readonly metering?: Metering | undefined;
  /** Is told what it does; nobody is unless given. */
  readonly measures?: AgentMeasures;
  readonly clock: Clock;
  /** Where package files come from. Default: from where instructions say. */
  readonly files?: PackageFiles;
  readonly connect: Connect;
  /** From 0 up to 1: spreads the tries of many agents whose endpoint came back. */
  readonly random: () => number;
  /**
   * `await-endpoint`: while the first connection cannot be made, it is tried again for as long as it
   * takes. Otherwise the start fails with it.
   */
  readonly start?: 'await-endpoint';
  readonly log: (
    level: 'info' | 'warn' | 'error',
    facts: Record<string, unknown>,
    message: string,
  ) => void;
}

export interface Agent {
  /** Resolves when the endpoint has dismissed the agent; while it works it is pending. */
  readonly dismissed: Promise<Dismissal>;
  /** Finishes the steps in hand, then leaves. */
  stop(): Promise<void>;
}

/**
 * How long to wait before connecting again, in milliseconds, doubled up to the last: half of it for
 * sure, half by chance.
 */
const RECONNECT = { first: 200, last: 10_000 } as const;

/** After these the agent comes back by itself. */
const passing: ReadonlySet<ClosingReason> = new Set(['trouble', 'shutdown']);

/** Connects and works until stopped. Resolves when the first connection stands. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { nodeId, driver, fence, metering, clock, log, measures = unmeasured } = options;
  const stopping = new AbortController();
  const files = options.files ?? webPackageFiles({ clock });
  // Every step that waits for the engine listens to it.
  setMaxListeners(Infinity, stopping.signal);
  /** One container's steps run one after the other; containers run side by side. */
  const lanes = new Map<string, Promise<void>>();
  /** What was last reported, so that only changes are. */
  const reported = new Map<string, string>();
  let connection: EndpointConnection | undefined;
  let dismiss: (dismissal: Dismissal) => void = () => undefined;
  const dismissed = new Promise<Dismissal>((resolve) => {
    dismiss = resolve;
  });

  const send = (message: AgentMessage): void => {
    connection?.send(AgentMessageSchema.parse(message));
  };

  const observe = async (containerId: string): Promise<void> => {
    const seen = await driver.observe(containerId);
    report(seen);
  };

  const report = (seen: ObservedInstance): void => {
    const { containerId, generation, state } = seen;
    const what = `${generation} ${state}`;
    if (reported.get(containerId) === what) return;
    reported.set(containerId, what);
    send({ type: 'observation', containerId, generation, state });
  };

  const act = (instruction: Instruction, traceparent: string | undefined): Promise<void> => {
    const { containerId, instructionId, generation, step } = instruction;
    const spec = {
      name: `step ${step}`,
      kind: 'consumer' as const,
      attributes: {
        'bivouac.node': nodeId,
        'bivouac.container': containerId,
        'bivouac.instruction': instructionId,
        'bivouac.generation': generation,
      },
      parent: spanNamed(traceparent),
    };
    return traceparent === undefined
      ? perform(instruction, undefined)
      : inSpan(spec, (span) => perform(instruction, span));
  };

  const perform = async (instruction: Instruction, span: Spanned | undefined): Promise<void> => {
    const { containerId, instructionId, generation, step } = instruction;
    const fenced = {
      containerId,
      generation,
      step,
      instructionId,
      notAfter: Date.parse(instruction.notAfter),
    };
    const verdict = await fence.check(fenced, clock.now());
    let answer: StepAnswer;
    if (verdict === 'proceed') {
      // What ends the counters is done between two looks at them.
      const ends = step === 'stop' || step === 'destroy';
      if (ends) await metering?.sample([containerId]);
      const outcome = await runStep(driver, instruction, { clock, files, signal: stopping.signal });
      if (ends) await metering?.sample([containerId]);
      answer = await fence.record(instructionId, outcome);
      log('info', { containerId, instructionId, step, outcome: answer.outcome }, 'step ended');
    } else {
      answer =
        'repeat' in verdict
          ? verdict.repeat
          : { outcome: 'refused', message: verdict.refused.message };
    }
    span?.note({ 'bivouac.outcome': answer.outcome });
    const traceparent = span?.traceparent;
    send({
      ...{ type: 'answer', containerId, instructionId, ...answer },
      ...(traceparent !== undefined && { traceparent }),
    });
    await observe(containerId);
  };

  const enqueue = (instruction: Instruction, traceparent: string | undefined): void => {
    const { containerId } = instruction;
    const done = measures.taken();
    const run = (lanes.get(containerId) ?? Promise.resolve())
      .then(() => act(instruction, traceparent))
      .catch((error: unknown) => {
        // No answer was recorded: the instruction stays in the queue and comes again.
        log(
          'error',
          { containerId, step: instruction.step, error: String(error) },
          'step broke off',
        );
      })
      .finally(() => {
        done();
        if (lanes.get(containerId) === run) lanes.delete(containerId);
      });
    lanes.set(containerId, run);
  };

  const receive = (raw: unknown): void => {
    const parsed = EndpointMessageSchema.safeParse(raw);
    if (!parsed.success) {
      log(
        'error',
        { problem: parsed.error.message },
        'a message from the endpoint is not understood',
      );
      return;
    }
    handle(parsed.data);
  };

  const handle = (message: EndpointMessage): void => {
    switch (message.type) {
      case 'welcome':
        measures.connected();
        metering?.connected(send);
        return;
      case 'noted':
        return;
      case 'usage-noted':
        metering?.noted(message);
        return;
      case 'instruct':
        if (!stopping.signal.aborted) enqueue(message.instruction, message.traceparent);
        return;
      case 'closing':
        log('warn', { reason: message.reason }, message.message);
        if (!passing.has(message.reason)) dismiss(message);
        connection?.close();
        left(passing.has(message.reason));
    }
  };

  /** The connection is over, whoever ended it. */
  const left = (comeBack: boolean): void => {
    if (connection === undefined) return;
    connection = undefined;
    measures.disconnected();
    metering?.disconnected();
    if (comeBack) void reconnect().catch(dismissedOr);
  };

  const dismissedOr = (error: unknown): void => {
    if (!(error instanceof NotAdmitted)) throw error;
    log('error', { reason: error.reason }, error.message);
    dismiss(error);
  };

  const connect = async (): Promise<void> => {
    const inventory = await driver.inventory();
    let mine: EndpointConnection | 'opening' = 'opening';
    let lost = false;
    const opened = await options.connect(
      (message) => {
        // What an earlier connection still says is over.
        if (connection === mine) receive(message);
      },
      (why) => {
        lost = true;
        if (connection !== mine) return;
        log('warn', { why }, 'the connection to the endpoint is lost');
        left(true);
      },
    );
    mine = opened;
    try {
      const instances = await driver.list();
      stopping.signal.throwIfAborted();
      if (lost) throw new Error('the connection was lost at once');
      connection = opened;
      greet(inventory, instances);
    } catch (error) {
      connection = undefined;
      opened.close();
      throw error;
    }
  };

  /** The queue comes with the welcome, so every answer that was lost is asked for again. */
  const greet = (inventory: NodeInventory, instances: readonly ObservedInstance[]): void => {
    send({
      type: 'hello',
      nodeId,
      protocol: NODE_PROTOCOL,
      inventory: {
        ...inventory,
        memoryBytes: inventory.memoryBytes.toString(),
        diskBytes: inventory.diskBytes.toString(),
        features: [...inventory.features],
      },
      ...(isTracing() && { traces: true as const }),
    });
    reported.clear();
    for (const { containerId, generation, state } of instances)
      reported.set(containerId, `${generation} ${state}`);
    send({
      type: 'list',
      instances: instances.map(({ containerId, generation, state }) => ({
        containerId,
        generation,
        state,
      })),
    });
  };

  const reconnect = async (): Promise<void> => {
    for (
      let wait: number = RECONNECT.first;
      !stopping.signal.aborted;
      wait = Math.min(wait * 2, RECONNECT.last)
    ) {
      const pause = Math.ceil((wait / 2) * (1 + options.random()));
      await clock.sleep(pause, stopping.signal).catch(() => undefined);
      if (stopping.signal.aborted) return;
      try {
        await connect();
        return;
      } catch (error) {
        if (error instanceof NotAdmitted && !passing.has(error.reason)) throw error;
        log(
          'warn',
          { error: String(error) },
          'the endpoint or the engine cannot be reached; trying again',
        );
      }
    }
  };

  if (options.start === 'await-endpoint') {
    await connect().catch(async (error: unknown) => {
      if (error instanceof NotAdmitted && !passing.has(error.reason)) throw error;
      log('warn', { error: String(error) }, 'the endpoint cannot be reached yet; trying again');
      await reconnect();
    });
  } else await connect();
  return {
    dismissed,
    stop: async () => {
      stopping.abort();
      await Promise.allSettled([...lanes.values()]);
      connection?.close();
      await metering?.stop();
      await fence.close();
      await driver.close();
    },
  };
}
