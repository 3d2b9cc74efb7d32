/**
 * A kind of installation whose replicas are stopped, started and rolled all the while: to a build that
 * reads a newer version of an event, then to one that writes it, and then over and over. Nobody who uses
 * it can tell.
 */
import {
  allServices,
  type Build,
  type Installation,
  type InstallationKind,
  Members,
  processes,
  type ProcessesInstallation,
  type ProcessesKind,
  RoleSchema,
  type StartOptions,
} from '@bivouac/all';

import { bundled } from './builds.ts';

/** The event that has a newer version, and who writes it. */
const NEWER = {
  writer: 'billing',
  settings: { EVENT_VERSIONS: 'billing.SetupCharged=2' },
} as const;
/** Parts that are rolled at once: a start costs a second of a processor. */
const AT_ONCE = 3;
/**
 * Answers between two steps, once all replicas of an installation were rolled twice: a test of many orders is
 * rolled all along and gets the processors, too.
 */
const ANSWERS_A_STEP = 10;
/** The relay is one; orders wait for it. */
const roles = [...allServices.map(({ name }) => name), 'gateway', 'endpoint'].map((name) =>
  RoleSchema.parse(name),
);

export interface RollingOptions {
  readonly busUrl: string;
  /** Of each part, two at least: while one is away the others answer. */
  readonly replicas: number;
  readonly settings?: Readonly<Record<string, string>>;
  readonly members?: Members;
}

export interface RollingKind extends InstallationKind {
  start(options: StartOptions): Promise<Installation>;
  /** Replicas that were stopped and started again, in all installations so far. */
  readonly rolls: number;
  /** Whether the newer version is written. */
  readonly writesNewer: boolean;
  dispose(): Promise<void>;
}

/** Made once: processes that idle become any installation's that is of their build. */
let builds: { readonly old: Build; readonly next: Build } | undefined;

type Stage = 'old' | 'reads' | 'writes';
/** How far the installations of this process have come: what is started next starts there. */
let stage: Stage = 'old';
type Step = () => Promise<void>;
/** Connections through the gateways that are open, or about to be. */
interface Streams {
  open: number;
}

/** Installations of processes whose replicas are never left alone. */
export function rolling({ busUrl, replicas, settings, ...given }: RollingOptions): RollingKind {
  const members = given.members ?? new Members();
  const shared = { busUrl, replicas, members };
  const { old, next } = (builds ??= {
    old: bundled(),
    next: bundled({ 'events/billing/account.ts': 'test/processes/account-next.ts' }),
  });
  const kinds: Readonly<Record<Stage, ProcessesKind>> = {
    old: processes({ ...shared, build: old, ...(settings && { settings }) }),
    reads: processes({ ...shared, build: next, ...(settings && { settings }) }),
    writes: processes({ ...shared, build: next, settings: { ...settings, ...NEWER.settings } }),
  };
  let rolls = 0;
  /** Steps in which all are rolled twice: to what reads the newer version, and to what writes it. */
  const twice = 2 * (replicas * Math.ceil(roles.length / AT_ONCE) + 1);
  const numbers = Array.from({ length: replicas }, (_, i) => i + 1);

  /** Without an end: what happens to the replicas of an installation, a few at a time. */
  function* steps({ replicas: seats }: ProcessesInstallation, streams: Streams): Generator<Step> {
    const roll = async (role: (typeof roles)[number], number: number): Promise<void> => {
      // A stream ends with its gateway: who follows one resumes, which the tests of it do by themselves.
      if (role === 'gateway' && streams.open > 0) return;
      const newer = stage === 'writes' && role === NEWER.writer;
      await seats.roll(role, number, { build: next, ...(newer && { settings: NEWER.settings }) });
      rolls += 1;
    };
    for (;;) {
      for (const number of numbers) {
        for (let at = 0; at < roles.length; at += AT_ONCE) {
          const group = roles.slice(at, at + AT_ONCE);
          yield () => Promise.all(group.map((role) => roll(role, number))).then(() => undefined);
        }
      }
      yield () => roll('relay', 1);
      // Only when all of them read it does one of them write it.
      stage = stage === 'old' ? 'reads' : 'writes';
    }
  }

  return {
    start: async (options) => {
      const installation = await kinds[stage].start(options);
      const streams = { open: 0 };
      return new Rolled({
        ...{ installation, streams, steps: steps(installation, streams), hurried: twice },
        failed: options.onFailure,
      }).installation;
    },
    left: (folder) => kinds.old.left(folder),
    get rolls() {
      return rolls;
    },
    get writesNewer() {
      return stage === 'writes';
    },
    dispose: async () => {
      for (const kind of Object.values(kinds)) await kind.dispose();
      if (given.members === undefined) await members.close();
    },
  };
}

interface RolledOptions {
  readonly installation: ProcessesInstallation;
  readonly streams: Streams;
  readonly steps: Generator<Step>;
  /** Steps that wait for no answers. */
  readonly hurried: number;
  readonly failed: (error: unknown) => void;
}

/**
 * An installation that is rolled: what waits for everything to come to rest, or looks at every replica,
 * has the next step wait meanwhile, else there would be no rest.
 */
class Rolled {
  readonly installation: Installation;
  #waiting = 0;
  #goOn: () => void = () => undefined;
  #over = false;
  /** The step under way, or the last one. */
  #step: Promise<void> = Promise.resolve();
  /** Answers since the last step. */
  #answers = 0;

  constructor({ installation, streams, steps, hurried, failed }: RolledOptions) {
    const { host, gateway, nodes } = installation;
    const { follower } = host;
    this.installation = {
      ...installation,
      host: {
        ...host,
        settled: () => this.#atRest(() => host.settled()),
        follower: {
          onApplied: (callback) => follower.onApplied(callback),
          rebuild: (service) => this.#atRest(() => follower.rebuild(service)),
          dump: (service) => this.#atRest(() => Promise.resolve(follower.dump(service))),
        },
      },
      gateway: {
        yoga: {
          fetch: async (...asked) => {
            try {
              return await gateway.yoga.fetch(...asked);
            } finally {
              this.#answers += 1;
              this.#goOn();
            }
          },
        },
        handle: async (request, response) => {
          // From here on no gateway is rolled; the step under way may be rolling one.
          streams.open += 1;
          try {
            await this.#step;
            await gateway.handle(request, response);
          } finally {
            streams.open -= 1;
          }
        },
        get subscriptions() {
          return gateway.subscriptions;
        },
        endSubscriptions: () => this.#atRest(() => Promise.resolve(gateway.endSubscriptions())),
      },
      nodes: {
        list: nodes.list,
        endpoint: nodes.endpoint,
        instances: () => nodes.instances(),
        stop: () => nodes.stop(),
      },
      stop: async (deadline) => {
        this.#over = true;
        this.#goOn();
        await rolled;
        await installation.stop(deadline);
      },
    };
    const rolled = this.#roll(steps, hurried).catch(failed);
  }

  async #roll(steps: Generator<Step>, hurried: number): Promise<void> {
    let taken = 0;
    for (const step of steps) {
      const pause = taken++ < hurried ? 0 : ANSWERS_A_STEP;
      while ((this.#waiting > 0 || this.#answers < pause) && !this.#over) {
        await new Promise<void>((resolve) => {
          this.#goOn = resolve;
        });
      }
      if (this.#over) return;
      this.#step = step();
      await this.#step;
      this.#answers = 0;
    }
  }

  async #atRest<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    try {
      await this.#step;
      return await work();
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#goOn();
    }
  }
}
