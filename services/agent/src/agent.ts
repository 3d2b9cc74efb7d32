/**
 * The agent of one node: takes instructions from the endpoint, asks its fence, drives the engine,
 * answers, and reports what it sees. It holds no truth: whatever it forgets it is told again.
 */
import { setMaxListeners } from 'node:events';

import {
  type AgentMessage,
  AgentMessageSchema,
  type EndpointMessage,
  EndpointMessageSchema,
  type Instruction,
  NODE_PROTOCOL,
} from '@bivouac/events/node';
import type { Clock } from './driver-clock.ts';
import type { Driver, ObservedInstance } from './driver.ts';
import type { Fence } from './fence/fence.ts';
import { type PackageFiles, webPackageFiles } from './package-files.ts';
import type { StepAnswer } from './step-answer.ts';
import { runStep } from './steps.ts';

/** The agent's one outbound connection. */
export interface EndpointConnection {
  /** Sends a message; the endpoint parses it. */
  send(message: AgentMessage): void;
  close(): void;
}

export interface AgentOptions {
  readonly nodeId: string;
  readonly driver: Driver;
  readonly fence: Fence<StepAnswer>;
  readonly clock: Clock;
  /** Where package files come from. Default: from where instructions say. */
  readonly files?: PackageFiles;
  /** Opens a connection; every message for the agent goes to `receive`, unparsed. */
  readonly connect: (receive: (message: unknown) => void) => Promise<EndpointConnection>;
  readonly log: (
    level: 'info' | 'warn' | 'error',
    facts: Record<string, unknown>,
    message: string,
  ) => void;
}

export interface Agent {
  /** Finishes the steps in hand, then leaves. */
  stop(): Promise<void>;
}

/** How long to wait before connecting again, in milliseconds, doubled up to the last. */
const RECONNECT = { first: 200, last: 10_000 } as const;

/** Connects and works until stopped. Resolves when the first connection stands. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { nodeId, driver, fence, clock, log } = options;
  const stopping = new AbortController();
  const files = options.files ?? webPackageFiles({ clock });
  // Every step that waits for the engine listens to it.
  setMaxListeners(Infinity, stopping.signal);
  /** One container's steps run one after the other; containers run side by side. */
  const lanes = new Map<string, Promise<void>>();
  /** What was last reported, so that only changes are. */
  const reported = new Map<string, string>();
  let connection: EndpointConnection | undefined;

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

  const act = async (instruction: Instruction): Promise<void> => {
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
      answer = await fence.record(
        instructionId,
        await runStep(driver, instruction, { clock, files, signal: stopping.signal }),
      );
      log('info', { containerId, instructionId, step, outcome: answer.outcome }, 'step ended');
    } else {
      answer =
        'repeat' in verdict
          ? verdict.repeat
          : { outcome: 'refused', message: verdict.refused.message };
    }
    send({ type: 'answer', containerId, instructionId, ...answer });
    await observe(containerId);
  };

  const enqueue = (instruction: Instruction): void => {
    const { containerId } = instruction;
    const run = (lanes.get(containerId) ?? Promise.resolve())
      .then(() => act(instruction))
      .catch((error: unknown) => {
        // No answer was recorded: the instruction stays in the queue and comes again.
        log(
          'error',
          { containerId, step: instruction.step, error: String(error) },
          'step broke off',
        );
      })
      .finally(() => {
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
      case 'noted':
        return;
      case 'instruct':
        if (!stopping.signal.aborted) enqueue(message.instruction);
        return;
      case 'closing':
        connection = undefined;
        log('warn', { reason: message.reason }, message.message);
        if (message.reason === 'trouble' || message.reason === 'shutdown') void reconnect();
    }
  };

  const connect = async (): Promise<void> => {
    const inventory = await driver.inventory();
    // The queue comes with the welcome, so every answer that was lost is asked for again.
    connection = await options.connect(receive);
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
    });
    reported.clear();
    const instances = await driver.list();
    for (const seen of instances)
      reported.set(seen.containerId, `${seen.generation} ${seen.state}`);
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
      await clock.sleep(wait, stopping.signal).catch(() => undefined);
      if (stopping.signal.aborted) return;
      try {
        await connect();
        return;
      } catch (error) {
        log(
          'warn',
          { error: String(error) },
          'the endpoint or the engine cannot be reached; trying again',
        );
      }
    }
  };

  await connect();
  return {
    stop: async () => {
      stopping.abort();
      await Promise.allSettled([...lanes.values()]);
      connection?.close();
      await fence.close();
      await driver.close();
    },
  };
}
