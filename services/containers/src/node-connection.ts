/**
 * One agent's connection to the node endpoint: greets, sends the queue and what is new in it, records
 * answers and observations, and gives up (so that the agent comes back) rather than lose one.
 */
import {
  type AgentMessage,
  AgentMessageSchema,
  type EndpointMessage,
  EndpointMessageSchema,
  type Instruction,
  NODE_PROTOCOL,
  type ObservedState,
  type UsageMessage,
} from '@bivouac/events/node';
import { instantOf, uuidOf } from '@bivouac/events/values';
import { appendOf, inSpan, spanNamed, startSpan } from '@bivouac/infra/tracing';

import {
  InstructionsForNode,
  ReportAnswer,
  ReportInventory,
  ReportObservation,
  ReportStrayAnswer,
} from './api/index.ts';
import type { NodeConnection, NodeEndpointOptions } from './node-endpoint-options.ts';
import { missingFrom, reportStray, type Seen, strayReason } from './node-instances.ts';

/** Waits between attempts to record or to read something, in milliseconds. */
const PATIENCE = [20, 50, 100, 250, 500, 1000, 2000] as const;
const PAGE = 200;
/** As many instances as a list has at most. */
const MOST_LISTED = 10_000;

/** One agent's connection. */
export class Connection implements NodeConnection {
  readonly #nodeId: string;
  readonly #send: (message: EndpointMessage) => void | Promise<void>;
  readonly #options: NodeEndpointOptions;
  readonly #left: () => void;
  /** What is being recorded, by container: its messages are taken in their order. */
  readonly #lanes = new Map<string, Promise<void>>();
  readonly #over = new AbortController();
  /** It has said who it is, and when; its reports may follow at once. */
  #greeted = false;
  #greetedAt = 0;
  /** It is a node's that is registered; its queue may follow. */
  #welcomed = false;
  /** Instructions sent here and not answered yet. */
  readonly #told = new Map<string, Told>();
  /** The agent takes part in traces. */
  #traces = false;
  /** Those of them that are about strays. */
  readonly #strays = new Set<string>();
  /** By container: what a recorded answer already says of it, until something else is heard. */
  readonly #implied = new Map<string, string>();
  /** Cursor of the last instruction sent. */
  #sent: string | undefined;
  #pushing: Promise<void> | undefined;
  /** Something new may be in the queue; with the position to wait for. */
  #news: { readonly position: string | undefined } | undefined;

  constructor(
    nodeId: string,
    send: (message: EndpointMessage) => void | Promise<void>,
    options: NodeEndpointOptions,
    left: () => void,
  ) {
    this.#nodeId = nodeId;
    this.#send = send;
    this.#options = options;
    this.#left = left;
  }

  get welcomed(): boolean {
    return this.#welcomed;
  }

  receive(raw: unknown): void {
    if (this.#over.signal.aborted) return;
    const parsed = AgentMessageSchema.safeParse(raw);
    if (!parsed.success) {
      this.end('protocol', `The message is not understood: ${parsed.error.message}`);
      return;
    }
    const message = parsed.data;
    if (message.type === 'hello') {
      void this.#greet(message);
      return;
    }
    if (!this.#greeted) {
      this.end('protocol', `Say hello before ${message.type}.`);
      return;
    }
    if (message.type === 'list') {
      for (const instance of message.instances) this.#observe(instance);
      this.#look(message.instances);
    } else if (message.type === 'observation') {
      this.#observe(message);
    } else if (message.type === 'usage') {
      this.#usage(message);
    } else {
      this.#answer(message);
    }
  }

  close(): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#left();
  }

  end(reason: Extract<EndpointMessage, { type: 'closing' }>['reason'], message: string): void {
    if (this.#over.signal.aborted) return;
    void this.#tell({ type: 'closing', reason, message: message.slice(0, 2000) });
    this.close();
  }

  /** There may be something new in the queue. */
  push(position?: string): void {
    if (!this.#welcomed || this.#over.signal.aborted) return;
    const known = this.#news?.position;
    const later = known === undefined || (position !== undefined && position > known);
    this.#news = { position: later ? position : known };
    this.#pushing ??= this.#drain().finally(() => {
      this.#pushing = undefined;
      // What came between the last look and here.
      if (this.#news !== undefined) this.push(this.#news.position);
    });
  }

  async settled(): Promise<void> {
    await Promise.all([this.#pushing, ...this.#lanes.values()]);
  }

  async #greet(hello: Extract<AgentMessage, { type: 'hello' }>): Promise<void> {
    const nodeId = this.#nodeId;
    if (hello.nodeId !== nodeId) {
      this.end('unknown-node', `This connection is node ${nodeId}'s, not ${hello.nodeId}'s.`);
      return;
    }
    if (hello.protocol !== NODE_PROTOCOL) {
      this.end(
        'protocol',
        `This endpoint speaks protocol ${NODE_PROTOCOL}, the agent ${hello.protocol}; install a matching agent.`,
      );
      return;
    }
    this.#greeted = true;
    this.#traces = hello.traces === true;
    this.#greetedAt = this.#options.clock.now();
    const reply = await this.#patiently(() =>
      this.#options.query(nodeId, InstructionsForNode, { nodeId, limit: 1 }),
    );
    if (reply === undefined || this.#over.signal.aborted) return;
    if (!reply.ok || !reply.result.known) {
      this.end('unknown-node', `No node ${nodeId} is registered; register it first.`);
      return;
    }
    void this.#tell({ type: 'welcome', protocol: NODE_PROTOCOL });
    this.#options.log('info', { nodeId, inventory: hello.inventory }, 'agent connected');
    this.#welcomed = true;
    this.push();
    const { inventory } = hello;
    await this.#patiently(() =>
      this.#options.command(nodeId, ReportInventory, { nodeId, inventory }, this.#options.newId()),
    );
  }

  async #drain(): Promise<void> {
    while (this.#news !== undefined && !this.#over.signal.aborted) {
      const { position } = this.#news;
      this.#news = undefined;
      for (;;) {
        const page = {
          nodeId: this.#nodeId,
          limit: PAGE,
          ...(this.#sent === undefined ? {} : { after: this.#sent }),
        };
        const reply = await this.#patiently(() =>
          this.#options.query(this.#nodeId, InstructionsForNode, page, position),
        );
        if (reply === undefined || this.#over.signal.aborted) return;
        if (!reply.ok) {
          this.end('trouble', `The queue cannot be read: ${reply.refusal.message}`);
          return;
        }
        let sent: void | Promise<void> = undefined;
        for (const { cursor, instruction, stray, cause } of reply.result.items) {
          if (stray) this.#strays.add(instruction.instructionId);
          sent = this.#instruct(instruction, cause);
          this.#sent = cursor;
        }
        // A page at a time: an agent that is slow to take its queue is not sent all of it.
        if (sent !== undefined) await sent;
        if (reply.result.end) break;
      }
    }
  }

  #instruct(instruction: Instruction, cause: Told['cause']): void | Promise<void> {
    const { instructionId, containerId, step } = instruction;
    const span = startSpan({
      name: `instruct ${step}`,
      kind: 'producer',
      attributes: {
        'bivouac.node': this.#nodeId,
        'bivouac.container': containerId,
        'bivouac.instruction': instructionId,
      },
      correlationId: cause?.correlationId,
      parent: cause && appendOf({ id: cause.eventId, correlationid: cause.correlationId }),
    });
    const { traceparent } = span;
    this.#told.set(instructionId, { instruction, cause, traceparent });
    const sent = this.#tell({
      type: 'instruct',
      instruction,
      ...(this.#traces && traceparent !== undefined && { traceparent }),
    });
    span.end();
    return sent;
  }

  #answer(message: Extract<AgentMessage, { type: 'answer' }>): void {
    const { type: _type, traceparent, ...answer } = message;
    const { instructionId, containerId, outcome, message: said } = answer;
    const key = uuidOf(instructionId, outcome, answer.message ?? '');
    this.#inLane(containerId, async () => {
      const nodeId = this.#nodeId;
      const ofStray = this.#strays.has(instructionId);
      const facts = { nodeId, containerId, instructionId, outcome };
      const ofStrayed = { ...facts, ...(said === undefined ? {} : { message: said }) };
      // What the endpoint itself has told counts: an agent names no request of others.
      const asked = this.#told.get(instructionId);
      const because = asked?.cause && {
        correlationId: asked.cause.correlationId,
        causationId: asked.cause.eventId,
      };
      const spec = {
        name: `answer ${asked?.instruction.step ?? ''}`.trimEnd(),
        kind: 'consumer' as const,
        attributes: {
          'bivouac.node': nodeId,
          'bivouac.container': containerId,
          'bivouac.instruction': instructionId,
          'bivouac.outcome': outcome,
        },
        correlationId: because?.correlationId,
        parent: spanNamed(traceparent ?? asked?.traceparent),
      };
      const reply = await inSpan(spec, () =>
        this.#patiently(() =>
          ofStray
            ? this.#options.command(nodeId, ReportStrayAnswer, ofStrayed, key, because)
            : this.#options.command(nodeId, ReportAnswer, { nodeId, ...answer }, key, because),
        ),
      );
      if (reply === undefined) return;
      this.#strays.delete(instructionId);
      if (!reply.ok) {
        this.#options.log(
          'warn',
          { nodeId: this.#nodeId, containerId, instructionId, code: reply.refusal.code },
          'an answer was not wanted',
        );
      }
      const told = asked?.instruction;
      this.#told.delete(instructionId);
      // Only what was recorded just now: an answer nobody waited for says nothing of the container.
      const recorded = reply.ok && !reply.repeated && reply.position !== undefined;
      const implied = told === undefined || ofStray ? undefined : stateAfter[told.step];
      if (recorded && outcome === 'done' && told !== undefined && implied !== undefined) {
        this.#implied.set(containerId, seenAs(told.generation, implied));
      } else {
        this.#implied.delete(containerId);
      }
      void this.#tell({ type: 'noted', instructionId });
    });
  }

  /** Reports are recorded one after the other: the last part of an hour completes it. */
  #usage(message: UsageMessage): void {
    const nodeId = this.#nodeId;
    const { meterId, hour, part } = message;
    this.#inLane('usage', async () => {
      const { recordUsage } = this.#options;
      const reply = recordUsage && (await this.#patiently(() => recordUsage(nodeId, message)));
      if (recordUsage !== undefined && reply === undefined) return;
      if (reply?.ok === false) {
        this.#options.log(
          'warn',
          { nodeId, hour, part, code: reply.refusal.code },
          'a report of use was not wanted',
        );
      }
      void this.#tell({ type: 'usage-noted', meterId, hour, part });
    });
  }

  #observe(seen: Seen): void {
    const { containerId, generation, state } = seen;
    const nodeId = this.#nodeId;
    const key = this.#options.newId();
    this.#inLane(containerId, async () => {
      // Agents look at a container after each step: mostly that is what the answer has said.
      const implied = this.#implied.get(containerId);
      this.#implied.delete(containerId);
      if (implied === seenAs(generation, state)) return;
      const input = { nodeId, containerId, generation, state };
      const reply = await this.#patiently(() =>
        this.#options.command(nodeId, ReportObservation, input, key),
      );
      const why = reply?.ok === false ? strayReason(reply.refusal.code) : undefined;
      if (state === 'absent') await this.#strayed(seen, 'unknown');
      else if (why !== undefined) {
        this.#options.log('warn', { ...input, why }, 'an instance is not to be there');
        await this.#strayed(seen, why);
      }
    });
  }

  /** What a whole list of the node does not have. */
  #look(list: readonly Seen[]): void {
    // Its length is bounded: a list that is full may lack what is there.
    if (list.length === MOST_LISTED) return;
    const ranBefore = instantOf(this.#greetedAt);
    this.#inLane('list', async () => {
      const missing = await this.#patiently(async () => ({
        ok: true as const,
        ...(await missingFrom(list, this.#options, this.#nodeId, ranBefore)),
      }));
      for (const absent of missing?.absent ?? []) this.#observe(absent);
      for (const gone of missing?.goneStrays ?? []) {
        this.#inLane(gone.containerId, () => this.#strayed(gone, 'unknown'));
      }
    });
  }

  async #strayed(seen: Seen, why: Parameters<typeof reportStray>[3]): Promise<void> {
    await this.#patiently(() => reportStray(this.#options, this.#nodeId, seen, why));
  }

  #inLane(containerId: string, work: () => Promise<void>): void {
    const run = (this.#lanes.get(containerId) ?? Promise.resolve()).then(work).finally(() => {
      if (this.#lanes.get(containerId) === run) this.#lanes.delete(containerId);
    });
    this.#lanes.set(containerId, run);
  }

  /** Again while it may succeed; when it does not, the agent is to come back. Never rejects. */
  async #patiently<T extends { readonly ok: boolean }>(
    attempt: () => Promise<T>,
  ): Promise<T | undefined> {
    let last = '';
    for (const wait of [...PATIENCE, undefined]) {
      try {
        const reply = await attempt();
        if (reply.ok || !isRetryable(reply)) return reply;
        last = 'the store is busy';
      } catch (error) {
        last = String(error);
        this.#options.log('error', { nodeId: this.#nodeId, error: last }, 'a call failed');
      }
      // After the agent has left its answers are recorded all the same, but not waited for.
      if (wait === undefined) break;
      await this.#options.clock.sleep(wait);
    }
    this.end('trouble', `Something could not be recorded or read (${last}); connect again.`);
    return undefined;
  }

  #tell(message: EndpointMessage): void | Promise<void> {
    if (this.#over.signal.aborted) return undefined;
    return this.#send(EndpointMessageSchema.parse(message));
  }
}

/** An instruction that was sent. */
interface Told {
  readonly instruction: Instruction;
  /** The event that it comes from, and the request behind that. */
  readonly cause: { readonly eventId: string; readonly correlationId: string } | undefined;
  /** The span of its sending. */
  readonly traceparent: string | undefined;
}

/** What a container is after a step that was done; other steps leave it as it was. */
const stateAfter: Partial<Record<Instruction['step'], ObservedState>> = {
  build: 'running',
  start: 'running',
  stop: 'stopped',
  destroy: 'absent',
};

/** An absent instance has no generation. */
function seenAs(generation: number, state: ObservedState): string {
  return state === 'absent' ? state : `${generation} ${state}`;
}

function isRetryable(reply: { readonly ok: boolean; readonly refusal?: unknown }): boolean {
  const { refusal } = reply;
  return (
    typeof refusal === 'object' &&
    refusal !== null &&
    (('retryable' in refusal && refusal.retryable === true) ||
      ('code' in refusal && refusal.code === 'NOT_YET'))
  );
}
