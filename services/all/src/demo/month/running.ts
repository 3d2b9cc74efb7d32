/**
 * The installation of a month: started and stopped on one folder again and again, on a clock that
 * goes on by itself only where nothing else can.
 */
import { Leftovers } from '@bivouac/containers/api';
import type { Checkpoint } from '@bivouac/infra/event-store';
import {
  createLogger,
  type ManualClock,
  RuntimeError,
  systemClock,
  systemPrincipal,
} from '@bivouac/infra/runtime';

import { endOf, type Outcome } from '../../checks/ends.ts';
import type { Installation, InstallationKind } from '../../installation.ts';
import { GraphqlClient } from '../graphql.ts';

/** Silence, in milliseconds of the machine's clock, after which only time can help. */
const SILENCE = 250;
/** What is tried again pauses by the clock: where nothing settles, it goes on by so much. */
const SECOND = 1010;
/** By so much the clock goes on where an operation is open: longer than most deadlines. */
const STEP = 310_000;
/** Silences after which what is open is left for the staff, or for another start. */
const MOST_SILENCES = 16;

/** Weeks of asking pass in seconds of a clock that mostly stands. */
const COSTS = {
  ...{ COST_CAPACITY: 1e9, COST_PER_SECOND: 1e9 },
  ...{ STAFF_COST_CAPACITY: 1e9, STAFF_COST_PER_SECOND: 1e9 },
};
/** Milliseconds an orderly end may take. */
const PATIENCE = 10_000;

export class Running {
  readonly #kind: InstallationKind;
  /** Of its data. */
  readonly folder: string;
  readonly #clock: ManualClock;
  #installation: Installation | undefined;
  #seen: Checkpoint | undefined;
  #listening = new AbortController();
  #failure: unknown;
  /** Accepted, by operation; those that wait for a period's end are not waited for. */
  readonly #open = new Map<string, { readonly waits: boolean }>();
  readonly #ended = new Set<string>();
  readonly #attention = new Set<string>();
  #wake: () => void = () => undefined;
  /** Starts so far. */
  starts = 0;

  constructor(kind: InstallationKind, folder: string, clock: ManualClock) {
    this.#kind = kind;
    this.folder = folder;
    this.#clock = clock;
  }

  get installation(): Installation {
    if (this.#installation === undefined) throw new RuntimeError('defect', 'nothing is running');
    return this.#installation;
  }

  get now(): number {
    return this.#clock.now();
  }

  /** Operations that wait for a person. */
  get waiting(): readonly string[] {
    return [...this.#attention];
  }

  async start(nodeUrl: string): Promise<void> {
    this.#installation = await this.#kind.start({
      folder: this.folder,
      changes: { NODE_URL: nodeUrl, ...COSTS },
      clock: this.#clock,
      logger: createLogger('silent', process.stderr),
      providerName: 'Demo Provider',
      onFailure: (error) => {
        this.#failure = error;
      },
    });
    this.starts += 1;
    this.#listening = new AbortController();
    void this.#listen(this.#installation, this.#listening.signal);
  }

  /** In order, though whatever is under way is cut short. */
  async stop(): Promise<void> {
    this.#listening.abort();
    const installation = this.#installation;
    this.#installation = undefined;
    await installation?.stop(PATIENCE);
    this.#check();
  }

  as(key: string): GraphqlClient {
    return new GraphqlClient(this.installation.gateway, key);
  }

  /** An operation was accepted. `waits`: it may stand for weeks, until its period ends. */
  accepted(operationId: string, waits = false): void {
    if (this.#ended.has(operationId) || this.#open.has(operationId)) return;
    this.#open.set(operationId, { waits });
  }

  /** Time passes; what falls due on the way happens. A clock that is further already stays. */
  async moveTo(instant: number): Promise<void> {
    if (instant > this.now) this.#clock.moveTo(instant);
    await this.rest();
  }

  /** The period ends: what waited for it is waited for. */
  periodEnds(): void {
    for (const id of [...this.#open.keys()]) this.#open.set(id, { waits: false });
  }

  /** Waits until nothing is under way. Time passes where it alone can help. */
  async rest(): Promise<void> {
    for (let silences = 0; silences < MOST_SILENCES;) {
      await this.#settled();
      this.#check();
      const unanswered = await this.#unanswered();
      const open = [...this.#open.values()].filter(({ waits }) => !waits).length;
      // A node that has crashed answers when it is started again, and not before.
      if (open === 0 && (unanswered === 0 || silences > 1)) return;
      if (await this.#moves()) continue;
      silences += 1;
      this.#clock.advance(STEP);
    }
  }

  /** Everything so far was reacted to, and no timer is due. */
  async #settled(): Promise<void> {
    const over = new AbortController();
    const settled = this.installation.host.settled().finally(() => {
      over.abort();
    });
    while (!over.signal.aborted) {
      await systemClock.sleep(SILENCE, over.signal);
      if (!over.signal.aborted) this.#clock.advance(SECOND);
    }
    await settled;
  }

  /** Whether anything is heard before it has been silent for long. */
  async #moves(): Promise<boolean> {
    const moved = new AbortController();
    this.#wake = () => {
      moved.abort();
    };
    await systemClock.sleep(SILENCE, moved.signal);
    return moved.signal.aborted;
  }

  async #unanswered(): Promise<number> {
    const { host, provider } = this.installation;
    const principal = systemPrincipal('system:month', provider.tenantId, provider.homeId);
    const reply = await host.query(Leftovers, {}, { principal });
    if (!reply.ok) throw new RuntimeError('defect', reply.refusal.message);
    return reply.result.unansweredInstructions;
  }

  /** Hears of ends from where it last heard of any. */
  async #listen({ store, host }: Installation, signal: AbortSignal): Promise<void> {
    try {
      const after = this.#seen;
      for await (const message of store.subscribe({ signal, ...(after && { after }) })) {
        if (message.kind !== 'events') continue;
        for (const stored of message.events) {
          const { epoch, position, id: eventId } = stored;
          this.#seen = { epoch, position, eventId };
          const event = host.registry.decode(stored);
          const end = event && endOf(event);
          if (end !== undefined) this.#note(end.operationId, end.outcome);
        }
        this.#wake();
      }
    } catch (error) {
      if (!signal.aborted) this.#failure = error;
    }
  }

  #note(operationId: string, outcome: Outcome): void {
    if (outcome === 'needs-attention') this.#attention.add(operationId);
    else this.#attention.delete(operationId);
    if (outcome === 'running') {
      this.#ended.delete(operationId);
      this.accepted(operationId);
    } else {
      this.#ended.add(operationId);
      this.#open.delete(operationId);
    }
  }

  #check(): void {
    if (this.#failure !== undefined) {
      throw new RuntimeError('defect', 'the installation has failed', { cause: this.#failure });
    }
  }
}
