/**
 * One run: an installation is started on one data folder and killed, again and again, while orders
 * come in; then it is left in peace until everything has ended. Time passes only where nothing else
 * can happen any more.
 */
import { Draws } from '@bivouac/all/draws';
import { Installation } from './installation.ts';
import { Load, type Sending, type Wish } from './load.ts';
import type { FromInstallation } from './messages.ts';
import { type BootSettings, type RunSettings, settingsOf } from './settings.ts';
import { SignsOfLife } from './signs-of-life.ts';

/** What a run leaves for the checks. */
export interface RunTrace {
  readonly crashes: number;
  readonly sendings: readonly Sending[];
  /** What went wrong before anything was checked: it ended by itself, or never came to rest. */
  readonly violations: readonly string[];
}

/** SignsOfLife, in milliseconds, after which only time can help. */
const PATIENCE = 300;
/** Silences after which a process that is to be killed has shown all it will. */
const MOST_SILENCES = 12;
/** Rounds of waiting after which what has not come to rest never will: hours of its clock. */
const MOST_ROUNDS = 150;
/** Silences in a row after which a process lives no more: minutes of the machine's, which may be slow. */
const MOST_SILENT = 600;
/** How long it may take to stop, in milliseconds. */
const STOP_PATIENCE = 120_000;
/** A little more than the interval in which reactions write down how far they have come. */
const SECOND = 1010;
/** Commands under way at once. */
const AT_ONCE = 8;
/** What a start takes before one was seen, in milliseconds. */
const USUAL_START = 800;

/** Runs what the seed says in a folder. */
export async function runOrders(seed: number, folder: string): Promise<RunTrace> {
  const run = new Run(settingsOf(seed), folder);
  for (const boot of run.settings.boots) await run.crash(boot);
  await run.settle();
  const { crashes, violations } = run;
  return { crashes, violations, sendings: run.load.sendings };
}

class Run {
  readonly settings: RunSettings;
  readonly load: Load;
  readonly violations: string[] = [];
  crashes = 0;
  readonly #folder: string;
  readonly #draws: Draws;
  readonly #signs = new SignsOfLife();
  /** Of the installation's clock before the machine's. */
  #ahead = 0;
  #usualStart = USUAL_START;
  #world = false;
  #replies = 0;
  #orders = 0;
  /** In the log, as far as was said. */
  #events = 0;

  constructor(settings: RunSettings, folder: string) {
    this.settings = settings;
    this.load = new Load(new Draws(settings.seed, 'load'));
    this.#draws = new Draws(settings.seed, 'time');
    this.#folder = folder;
  }

  /** Starts it, orders, and kills it at the boot's point. */
  async crash({ nodeUrl, crash, downtime }: BootSettings): Promise<void> {
    this.#ahead += downtime;
    const dieAt = crash.after === 'checkpoint' ? crash.count : null;
    const installation = this.#start(nodeUrl, dieAt);
    const before = this.#counts();
    // A start that was quicker than those before is over all the same.
    const reached = (): boolean =>
      crash.after === 'start' || crash.after === 'checkpoint'
        ? crash.after === 'start' && this.#world
        : this.#counts()[crash.after] - before[crash.after] >= crash.count;
    let timer: NodeJS.Timeout | undefined;
    let begun = 0;
    for (let silences = 0; silences < MOST_SILENCES && !reached();) {
      if (this.#world) this.#order(installation);
      const message = await installation.next(PATIENCE);
      if (message === 'over') {
        if (crash.after !== 'start' && crash.after !== 'checkpoint') {
          this.violations.push('the installation ended by itself');
        }
        break;
      }
      if (message === 'silent') {
        if (this.#world) this.#move(installation, this.#draws.between(5, 150) * 1000);
        silences += this.#world ? 1 : 0.1;
        continue;
      }
      this.#hear(message);
      // Deadlines also come in the middle of everything.
      if (this.#world && dieAt !== null && this.#draws.chance(0.05)) {
        this.#move(installation, SECOND);
      }
      if (this.#world && this.#draws.chance(0.003)) {
        this.#move(installation, this.#draws.between(30, 300) * 1000);
      }
      if (message.type === 'ready') this.#usualStart = performance.now() - begun;
      if (message.type !== 'opening') continue;
      begun = performance.now();
      if (crash.after === 'start') {
        timer = setTimeout(() => {
          installation.kill();
        }, crash.share * this.#usualStart);
      }
    }
    clearTimeout(timer);
    if ('tick' in crash && crash.tick !== null) await this.#tick(installation, crash.tick);
    for (const message of await installation.end()) this.#hear(message);
    this.crashes += 1;
  }

  /** A second passes, and so many messages are heard. */
  async #tick(installation: Installation, messages: number): Promise<void> {
    this.#move(installation, SECOND);
    for (let n = 0; n < messages; n++) {
      if (this.#world) this.#order(installation);
      const message = await installation.next(PATIENCE);
      if (message === 'over' || message === 'silent') return;
      this.#hear(message);
    }
  }

  /** Starts it a last time, on nodes that do nothing wrong, and waits until everything has ended. */
  async settle(): Promise<void> {
    const installation = this.#start(this.settings.calmNodeUrl);
    const rested =
      (await this.#rest(installation)) &&
      (await this.#mend(installation)) &&
      // Longer than any reservation may stand unclaimed.
      (await this.#rest(installation, 2 * 3_600_000));
    if (!rested) this.violations.push(...this.#unrest());
    if (this.settings.killedAtLast) this.crashes += 1;
    else {
      installation.tell({ type: 'stop' });
      for (;;) {
        const message = await installation.next(STOP_PATIENCE);
        if (message === 'silent') this.violations.push('it does not stop when it is told to');
        if (message === 'silent' || message === 'over') break;
        this.#hear(message);
      }
    }
    for (const message of await installation.end()) this.#hear(message);
  }

  /**
   * Nodes are sound again, so the staff let what waits for them go on, as the runbook says first. What
   * then still waits has nothing left to do (its container is gone, say): then they say so, and every
   * check holds them to it.
   */
  async #mend(installation: Installation): Promise<boolean> {
    for (const act of ['retry', 'retry', 'resolve'] as const) {
      for (const operation of this.load.waiting) {
        this.#send(installation, this.load.staffAct(act, operation));
      }
      if (!(await this.#rest(installation))) return false;
    }
    return true;
  }

  /** Waits until nothing is under way; time passes where it alone can help. */
  async #rest(installation: Installation, first = 0): Promise<boolean> {
    let asked = false;
    let toMove = first;
    const probe = (number: number | undefined): void => {
      if (number !== undefined) installation.tell({ type: 'probe', probe: number });
    };
    let silences = 0;
    for (let rounds = 0; rounds < MOST_ROUNDS && silences < MOST_SILENT;) {
      if (this.#world) {
        if (toMove > 0) this.#move(installation, toMove);
        toMove = 0;
        for (const wish of this.load.uncertain()) this.#send(installation, wish);
        if (!asked && this.load.unanswered === 0) {
          installation.tell({ type: 'settle' });
          asked = true;
        }
      }
      const message = await installation.next(PATIENCE);
      if (message === 'over') return false;
      if (message === 'silent') {
        silences += 1;
        if (this.#world) probe(this.#signs.silent());
        continue;
      }
      silences = 0;
      const next = this.#signs.heard(message);
      if (next === 'waits') {
        rounds += 1;
        this.#move(installation, 61_000);
      } else probe(next);
      this.#hear(message);
      if (message.type !== 'settled') continue;
      asked = false;
      if (message.unanswered === 0 && this.load.open.length === 0 && this.load.unanswered === 0) {
        return true;
      }
      // It is at rest and something is still open: only time can end that.
      rounds += 1;
      toMove = 31_000;
    }
    return false;
  }

  /** @param dieAt the checkpoint of reactions at which it kills itself, counted from the start. */
  #start(nodeUrl: string, dieAt: number | null = null): Installation {
    this.#world = false;
    const { seed } = this.settings;
    return new Installation({ folder: this.#folder, seed, nodeUrl, ahead: this.#ahead, dieAt });
  }

  #order(installation: Installation): void {
    while (this.load.unanswered < AT_ONCE) {
      // Whoever got no answer asks again, sooner or later.
      const again = this.load.uncertain();
      const wish = this.#draws.chance(0.5) ? this.#draws.pick(again) : undefined;
      if (wish !== undefined) this.#send(installation, wish);
      else if (this.load.open.length >= this.settings.window) return;
      else {
        const { wish: drawn, altered, times } = this.load.draw();
        for (let n = 0; n < times; n++) this.#send(installation, drawn, altered);
      }
    }
  }

  #send(installation: Installation, wish: Wish, altered = false): void {
    const sending = this.load.send(wish, altered);
    const { caller, request, key } = wish;
    this.#orders += 1;
    installation.tell({ type: 'command', sending, caller, request, key });
  }

  #move(installation: Installation, milliseconds: number): void {
    this.#ahead += milliseconds;
    installation.tell({ type: 'move-clock', milliseconds });
  }

  #hear(message: FromInstallation): void {
    switch (message.type) {
      case 'opening':
      case 'stopped':
      case 'settled':
      case 'probed':
        return;
      case 'ready':
        this.load.begin(message.world);
        this.#world = true;
        return;
      case 'reply':
        this.#replies += 1;
        this.load.answered(message.sending, message.answer);
        return;
      case 'applied':
        this.#events = message.events;
        return;
      case 'ended':
        this.load.ended(message.operationId, message.outcome);
        return;
      case 'failed':
        this.violations.push(`the installation has failed: ${message.message}`);
    }
  }

  #counts(): Record<'events' | 'replies' | 'orders', number> {
    return { events: this.#events, replies: this.#replies, orders: this.#orders };
  }

  #unrest(): string[] {
    const open = this.load.open.map((one) => `${one.order.kind} ${one.operationId}`);
    return [
      `it does not come to rest: open are ${open.join(', ') || 'no operations'}, ` +
        `${this.load.unanswered} commands have no answer`,
    ];
  }
}
