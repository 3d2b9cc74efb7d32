/**
 * One simulated run: a few orders on a system in which everything goes wrong for a while, then calm, in
 * which everything has to come to its end; then what is left is inspected.
 */
import type { EventRegistry, Position, Recorded, StoredEvent } from '@bivouac/events/language';
import { Leftovers } from '@bivouac/containers/api';
import { endOf } from '@bivouac/all/checks/ends';
import { Draws } from '@bivouac/all/draws';
import { PARTITIONS } from '@bivouac/infra/bus';
import { memoryEventStore } from '@bivouac/infra/event-store';
import { registryOf, systemPrincipal } from '@bivouac/infra/runtime';

import { Load, type Wish } from '../orders/load.ts';
import { request } from '../orders/request.ts';
import { SimulatedBroker } from './broker.ts';
import { machineOf } from './chance.ts';
import { heldViolations, inspect, type Left } from './inspect.ts';
import type { Report } from './messages.ts';
import { forgetProcesses, type SimulatedProcess, type Surroundings } from './process.ts';
import { laterRelease, onlyRelease, type Releases } from './releases.ts';
import { Rollout } from './rollout.ts';
import { Scheduler } from './scheduler.ts';
import { CALM, simulationOf, type SimulationSettings } from './settings.ts';
import { SimulatedLog } from './store.ts';
import { type Plant, System } from './system.ts';
import { Watch } from './watch.ts';
import { BEGIN, edgePorts, EPOCH, type MadeWorld, worldOf } from './world.ts';

/** What a run has shown, whatever was planted. */
type Played = Omit<Report, 'plant'>;

export interface SimulationOptions {
  readonly seed: number;
  readonly plant?: Plant;
  /** Gets each line of the trace. */
  readonly told?: (line: string) => void;
}

/** Tasks of a run at most: more is a run that never ends. */
const MOST_STEPS = 60_000;
/** Milliseconds of the network that a client waits for an answer. */
const PATIENCE = 10_000;
/** Streams that give out what is scarce. */
const OWNERS = new Set(['ledger', 'node', 'range']);
/** The chance of a kill at each of their appends, in runs that are about ghosts. */
const GHOSTS = 0.3;
/** Longer than an agent waits before it connects again, in milliseconds of the network. */
const RECONNECTING = 25_000;
/** Times the clock is moved on before what has not come to rest never will. */
const MOST_ROUNDS = 80;

/** Runs what the seed says. */
export async function simulate(options: SimulationOptions): Promise<Played> {
  const made = await worldOf(options.seed);
  const run = new Run(options, made);
  try {
    return await run.play();
  } finally {
    run.end();
  }
}

class Run {
  readonly settings: SimulationSettings;
  readonly scheduler: Scheduler;
  readonly log: SimulatedLog;
  readonly load: Load;
  readonly system: System;
  readonly watch = new Watch();
  readonly trouble: string[] = [];
  readonly #made: MadeWorld;
  readonly #broker: SimulatedBroker;
  readonly #draws: Draws;
  readonly #history: Recorded[] = [];
  /** Gone, with a request on its way. */
  readonly #strays = new Set<SimulatedProcess>();
  readonly #releases: Releases;
  readonly #registry: EventRegistry;
  readonly #rollout: Rollout;
  /** Events as they were written in a later version. */
  #later = 0;
  #calm = false;
  #wall = BEGIN;
  #kills: number;
  #crashes = 0;
  #wishes: number;

  constructor({ seed, plant = {}, told }: SimulationOptions, made: MadeWorld) {
    const settings = simulationOf(seed);
    this.settings = settings;
    this.#made = made;
    this.#kills = settings.kills;
    this.#wishes = settings.wishes;
    this.scheduler = new Scheduler(told);
    machineOf(seed, () => Math.floor(this.scheduler.now + this.#wall));
    forgetProcesses();
    this.#draws = new Draws(seed, 'disturbances');
    this.load = new Load(new Draws(seed, 'load'));
    const releases = new Draws(seed, 'releases');
    this.#releases = settings.rolled ? laterRelease(releases) : onlyRelease;
    this.#registry = registryOf(this.#releases.latest);
    this.log = new SimulatedLog(memoryEventStore({ epoch: EPOCH }));
    const draws = new Draws(seed, 'ports');
    const surroundings: Surroundings = {
      scheduler: this.scheduler,
      draws,
      weather: () => (this.#calm ? CALM.weather : settings.weather),
      wall: () => this.#wall,
      strays: this.#strays,
      killedAt: (_process, what) => this.#killedAt(what),
    };
    const broker = new SimulatedBroker(this.scheduler, draws, () =>
      this.#calm ? CALM.bus : settings.bus,
    );
    this.#broker = broker;
    this.system = new System({
      ...{ surroundings, log: this.log, broker, seed, plant, nodes: made.nodes },
      releases: this.#releases,
      ports: edgePorts((size) =>
        Buffer.from(Array.from({ length: size }, () => draws.between(0, 255))),
      ),
      storeFaults: () => (this.#calm ? CALM.store : settings.store),
      wireFaults: () => (this.#calm ? CALM.wire : settings.wire),
      engine: () => (this.#calm ? CALM.engine : settings.engine),
      skew: () => (this.#calm ? 0 : draws.between(-settings.skew, settings.skew)),
      watched: (services, process) => this.watch.watched(services, process),
      broken: (what) => this.trouble.push(what),
    });
    this.#rollout = new Rollout({
      ...{ scheduler: this.scheduler, system: this.system, draws: releases },
      over: () => this.#calm,
    });
  }

  async play(): Promise<Played> {
    await this.#begin();
    for (let n = 0; n < this.settings.hosts; n++) this.system.startHost();
    for (let n = 0; n < this.settings.relays; n++) this.system.startRelay();
    this.system.startNodes();
    this.#disturb();
    if (this.settings.rolled) this.#rollout.begin();
    this.#want();
    const storm = this.#draws.between(4_000, 20_000);
    const quiet = (): boolean =>
      this.#wishes === 0 &&
      this.load.unanswered === 0 &&
      this.load.open.length === 0 &&
      this.load.uncertain().length === 0;
    await this.#until(() => quiet() || this.scheduler.now > storm);
    this.#calm = true;
    this.scheduler.note('it is calm');
    const left: Left = {
      ...{ store: this.log.store, history: this.#history, before: this.#made.log.length },
      ...{ sendings: this.load.sendings, system: this.system, nodes: this.#made.nodes },
      watch: this.watch,
    };
    let rested = (await this.#rest()) && (await this.#mend());
    // Everybody has given back by now what they took: not only once somebody asks why it is held.
    const held = rested ? await heldViolations(left) : {};
    // Longer than any reservation may stand unclaimed.
    this.#move(2 * 3_600_000);
    rested = rested && (await this.#rest());
    if (!rested) this.trouble.push(this.#unrest());
    const violations = { ...held, ...(await inspect(left)) };
    for (const law of Object.keys(violations)) this.scheduler.note(`violated: ${law}`);
    return {
      seed: this.settings.seed,
      digest: this.scheduler.digest(),
      steps: this.scheduler.steps,
      orders: this.load.accepted,
      events: this.#history.length,
      crashes: this.#crashes,
      rolls: this.#rollout.rolls,
      later: this.#later,
      trouble: this.trouble,
      violations,
    };
  }

  /** Nobody does anything any more. */
  end(): void {
    this.#calm = true;
    for (const process of [...this.system.processes]) process.kill('the run is over');
  }

  /** The log is the world's, and from here on everything that is appended is heard. */
  async #begin(): Promise<void> {
    for (const event of this.#made.log) {
      const expected = event.revision === 0n ? 'no-stream' : event.revision - 1n;
      await this.log.append(event.stream, expected, [event]);
    }
    const hear = (events: readonly StoredEvent[]): void => {
      for (const stored of events) this.#hear(stored);
    };
    hear((await this.log.store.readAll({ limit: 10_000 })).events);
    this.log.onAppended(hear);
    this.load.begin(this.#made.world);
  }

  #hear(stored: StoredEvent): void {
    const event = this.#registry.decode(stored);
    if (event === undefined) throw new Error(`nobody knows ${stored.type}`);
    if (stored.schemaver === this.#releases.written('writes').get(stored.type)) this.#later += 1;
    this.#history.push(event);
    this.watch.hear(event);
    this.scheduler.note(`event ${event.stream} ${event.revision} ${event.type} ${event.id}`);
    const end = endOf(event);
    if (end !== undefined) this.load.ended(end.operationId, end.outcome);
  }

  #until(done: () => boolean): Promise<boolean> {
    return this.scheduler.until(done, MOST_STEPS - this.scheduler.steps);
  }

  // What goes wrong.

  /** The moments about an append are what most is lost or doubled by. */
  #killedAt(what: string): 'before' | 'under-way' | 'after' | undefined {
    if (this.#calm || this.#kills === 0) return undefined;
    const { killShare, ghosts } = this.settings;
    const [, category = ''] = /^append to ([a-z]+)-/.exec(what) ?? [];
    const scarce = OWNERS.has(category);
    const weight = scarce ? 20 : ['', 'checkpoint'].includes(category) ? 1 : 6;
    const share = !ghosts ? killShare * weight : scarce ? GHOSTS : 0;
    if (!this.#draws.chance(share)) return undefined;
    this.#kills -= 1;
    this.#crashes += 1;
    // Some deaths take as long to be noticed as deadlines do.
    if (ghosts || this.#draws.chance(0.5)) {
      this.scheduler.after(this.#draws.between(20, 800), undefined, 'deadlines pass', () => {
        if (!this.#calm) this.#move(this.#draws.between(61, 400) * 1000);
      });
    }
    return ghosts ? 'under-way' : this.#draws.weighted({ before: 1, 'under-way': 2, after: 2 });
  }

  /** Each second of the network something may happen to somebody. */
  #disturb(): void {
    this.scheduler.after(this.#draws.between(100, 1000), undefined, 'time for trouble', () => {
      if (this.#calm) return;
      this.#disturb();
      const { stalls, expulsions, jumps, skew } = this.settings;
      const draws = this.#draws;
      if (draws.chance(stalls)) {
        const process = draws.pick(this.system.processes);
        if (process !== undefined) this.#stall(process, draws.between(200, 12_000));
      }
      if (draws.chance(expulsions)) {
        const group = draws.pick(this.#broker.groups());
        draws.pick(group?.members ?? [])?.lose();
      }
      if (draws.chance(jumps)) {
        const far = draws.chance(0.15);
        this.#move(far ? draws.between(1, 3) * 3_600_000 : draws.between(1, 400) * 1000);
      }
      const process = draws.chance(0.05) ? draws.pick(this.system.processes) : undefined;
      if (process !== undefined) process.skew = draws.between(-skew, skew);
    });
  }

  /** It stands still, and its groups take it for dead if that lasts. */
  #stall(process: SimulatedProcess, milliseconds: number): void {
    process.stalledUntil = this.scheduler.now + milliseconds;
    this.scheduler.note(`${process.name} stands still for ${milliseconds}`);
    if (milliseconds < 3000) return;
    for (const group of this.#broker.groups()) {
      for (const member of [...group.members]) if (member.process === process) member.lose();
    }
  }

  #move(milliseconds: number): void {
    this.#wall += milliseconds;
    this.scheduler.note(`clocks go on by ${milliseconds}`);
    for (const process of [...this.system.processes]) process.moved();
  }

  // What is wanted.

  #want(): void {
    this.scheduler.after(this.#draws.between(5, 400), undefined, 'time for a wish', () => {
      if (this.#calm) return;
      this.#want();
      if (this.system.hosts.length === 0) return;
      const again = this.load.uncertain();
      const wish = this.#draws.chance(0.5) ? this.#draws.pick(again) : undefined;
      if (wish !== undefined) this.#send(wish);
      else if (this.#wishes > 0 && this.load.unanswered < 12) {
        this.#wishes -= 1;
        const { wish: drawn, altered, times } = this.load.draw();
        for (let n = 0; n < times; n++) this.#send(drawn, altered);
      }
    });
  }

  #send(wish: Wish, altered = false): void {
    const number = this.load.send(wish, altered);
    const to = this.#draws.pick(this.system.hosts);
    const { key, caller, request: asked } = wish;
    const what = `${altered ? 'altered ' : ''}${key} (${number})`;
    let over = false;
    const giveUp = (): void => {
      if (!over) this.load.givenUp(number);
      over = true;
    };
    this.scheduler.after(PATIENCE, undefined, `nobody waits for ${what} any more`, giveUp);
    if (to === undefined) return;
    const { process, caller: services } = to;
    this.scheduler.after(process.latency(), process, `gets ${what}`, () => {
      request(services, caller, asked, key).then(
        (answer) => {
          if (process.over || (!this.#calm && this.#draws.chance(0.05))) return;
          this.scheduler.after(process.latency(), undefined, `${what} is answered`, () => {
            if (over) return;
            over = true;
            this.scheduler.note(JSON.stringify(answer));
            this.load.answered(number, answer);
          });
        },
        (error: unknown) => {
          if (process.over) return;
          this.trouble.push(`${what} broke: ${String(error)}`);
        },
      );
    });
  }

  // How it ends.

  /** Waits until nothing is under way; time passes where it alone can help. */
  async #rest(): Promise<boolean> {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      for (const wish of this.load.uncertain()) this.#send(wish);
      const { hosts } = this.settings;
      const whole = (): boolean =>
        this.system.whole(hosts) && this.load.unanswered === 0 && this.#strays.size === 0;
      if (!(await this.#until(() => whole() && this.#shared()))) return false;
      if (!(await this.#settled())) continue;
      const { last } = this.log;
      const unanswered = await this.#unansweredInstructions();
      // What an agent that came back has reported meanwhile has not been applied everywhere.
      if (this.log.last !== last) continue;
      const open = this.load.open.length > 0 || this.load.uncertain().length > 0;
      if (!open && unanswered === 0) return true;
      // Agents find their way back by the network's time, not by the clock of deadlines.
      if (unanswered !== 0 && (await this.#heard())) continue;
      this.#move(31_000);
    }
    return false;
  }

  /** Whether anything is recorded in the time that agents take to connect again. */
  async #heard(): Promise<boolean> {
    const { last } = this.log;
    const patience = this.scheduler.now + RECONNECTING;
    await this.#until(() => this.log.last !== last || this.scheduler.now > patience);
    return this.log.last !== last;
  }

  /** Every partition of every service is somebody's, and nobody else's. */
  #shared(): boolean {
    const [first] = this.system.hosts;
    return [...(first?.host.reactions.keys() ?? [])].every((service) => {
      const here = this.system.hosts.flatMap(
        ({ host }) => host.reactions.get(service)?.assigned() ?? [],
      );
      return here.length === PARTITIONS && new Set(here).size === PARTITIONS;
    });
  }

  /** Sound again: the staff let what waits for them go on, and say where there is nothing left to do. */
  async #mend(): Promise<boolean> {
    for (const act of ['retry', 'retry', 'resolve'] as const) {
      const { waiting } = this.load;
      if (waiting.length === 0) continue;
      for (const operation of waiting) this.#send(this.load.staffAct(act, operation));
      if (!(await this.#rest())) return false;
    }
    return true;
  }

  /** False: somebody died, and it is to be asked again. */
  async #settled(): Promise<boolean> {
    let last: Position | null | undefined;
    while (last !== this.log.last) {
      last = this.log.last;
      const asked = [...this.system.hosts];
      let settled = 0;
      let failed = false;
      for (const { host } of asked) {
        host.settled().then(
          () => settled++,
          () => (failed = true),
        );
      }
      const died = (): boolean => failed || asked.some(({ process }) => process.over);
      if (!(await this.#until(() => settled === asked.length || died()))) return false;
      if (died()) return false;
    }
    return true;
  }

  async #unansweredInstructions(): Promise<number | undefined> {
    const { provider } = this.#made.world;
    const principal = systemPrincipal('system:faults', provider.tenantId, provider.homeId);
    let answer: number | undefined;
    let over = false;
    void this.system.hosts[0]?.host.query(Leftovers, {}, { principal }).then((reply) => {
      if (reply.ok) answer = reply.result.unansweredInstructions;
      over = true;
    });
    await this.#until(() => over);
    return answer;
  }

  #unrest(): string {
    const open = this.load.open.map((one) => `${one.order.kind} ${one.operationId}`);
    return (
      `it does not come to rest: open are ${open.join(', ') || 'no operations'}, ` +
      `${this.load.unanswered} commands have no answer, ${this.scheduler.steps} steps`
    );
  }
}
