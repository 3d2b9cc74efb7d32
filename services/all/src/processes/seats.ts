/** The replicas of a set: each has its number, its folder and its address, whichever process is it just now. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { RuntimeError } from '@bivouac/infra/runtime';

import type { Build } from './build.ts';
import type { Member } from './member.ts';
import type { Members } from './members.ts';
import { type Role, type Started, StartedSchema } from './messages.ts';
import { z } from 'zod';

/** What a replica is started with, other than the others. */
export interface Start {
  readonly build?: Build;
  readonly settings?: Readonly<Record<string, string>>;
  /** By so many milliseconds its clock is before the others', or behind them. */
  readonly ahead?: number;
}

export interface SeatsOptions {
  readonly folder: string;
  readonly members: Members;
  readonly build: Build;
  readonly now: () => number;
  /** The settings of a part, beside what is a seat's own. */
  readonly settings: (role: Role) => Readonly<Record<string, string>>;
  /** Where agents connect. */
  readonly endpoints: () => readonly string[];
  readonly onFailure: (error: Error) => void;
}

interface Seat {
  readonly role: Role;
  readonly number: number;
  member: Member | undefined;
  ahead: number;
  /** What it answered last when it had started. */
  started: Started | undefined;
  /** It can be called. */
  up: boolean;
  /** What was chosen at the first start and stays. */
  readonly own: Record<string, string>;
}

const NothingSchema = z.object({});

export class Seats {
  readonly #options: SeatsOptions;
  readonly #seats = new Map<string, Seat>();

  constructor(options: SeatsOptions) {
    this.#options = options;
  }

  /** The processes that run, those of some roles or all, and by how much the clock of each is ahead. */
  running(
    ...roles: readonly Role[]
  ): readonly { readonly role: Role; readonly member: Member; readonly ahead: number }[] {
    return [...this.#seats.values()].flatMap(({ role, member, ahead }) =>
      member === undefined || (roles.length > 0 && !roles.includes(role))
        ? []
        : [{ role, member, ahead }],
    );
  }

  /** What the replicas of a role have answered when they started; of those that run, or of all. */
  started(role: Role, whichever: 'running' | 'all' = 'running'): readonly Started[] {
    return [...this.#seats.values()].flatMap((seat) =>
      seat.role !== role || seat.started === undefined || (whichever === 'running' && !seat.up)
        ? []
        : [seat.started],
    );
  }

  /** The process that it is just now. */
  member(role: Role, number: number): Member {
    const { member } = this.#seat(role, number);
    if (member === undefined) throw new RuntimeError('defect', `${role} ${number} does not run`);
    return member;
  }

  /** Starts a replica, again on what it has left. Resolves when it can be called. */
  async start(role: Role, number: number, how: Start = {}): Promise<Started> {
    const { folder, members, build, now, settings, endpoints, onFailure } = this.#options;
    const seat = this.#seat(role, number);
    if (seat.member !== undefined)
      throw new RuntimeError('defect', `${role} ${number} runs already`);
    const data = dataFolder(folder, role, number);
    await mkdir(data, { recursive: true });
    const member = members.take(how.build ?? build);
    seat.member = member;
    seat.ahead = how.ahead ?? 0;
    const lost = (why: string): void => {
      if (seat.member === member) onFailure(new Error(`${role} ${number}: ${why}`));
    };
    member.onFailed = lost;
    void member.ended.then(() => {
      lost('the process has ended');
    });
    const started = await member.ask(StartedSchema, {
      ...{ type: 'start', role, now: now() + seat.ahead, endpoints: [...endpoints()] },
      settings: {
        ...{ HOST: '127.0.0.1', PORT: '0', AGENT_LISTEN: '0', METRICS_LISTEN: '0' },
        ...settings(role),
        ...how.settings,
        ...seat.own,
        DATA_DIR: data,
      },
    });
    if (started.url !== '') seat.own['PORT'] = new URL(started.url).port;
    if (started.endpoint !== undefined) seat.own['AGENT_LISTEN'] = new URL(started.endpoint).port;
    seat.started = started;
    seat.up = true;
    return started;
  }

  /** In order. Its process may become another's. */
  async stop(role: Role, number: number): Promise<void> {
    const seat = this.#seat(role, number);
    const { member } = seat;
    seat.member = undefined;
    seat.up = false;
    if (member === undefined) return;
    await member.ask(NothingSchema, { type: 'stop' });
    await this.#options.members.give(member);
  }

  /** SIGKILL. */
  async kill(role: Role, number: number): Promise<void> {
    const seat = this.#seat(role, number);
    const { member } = seat;
    seat.member = undefined;
    seat.up = false;
    await member?.kill();
  }

  /** Stops all of these roles, each in order; what fails to stop is killed. */
  async stopAll(...roles: readonly Role[]): Promise<void> {
    const seats = [...this.#seats.values()].filter(({ role }) => roles.includes(role));
    const ends = await Promise.allSettled(seats.map(({ role, number }) => this.stop(role, number)));
    const problems = ends.flatMap((end) =>
      end.status === 'rejected' ? [end.reason as unknown] : [],
    );
    if (problems.length > 0) throw new AggregateError(problems, 'not every process ended in order');
  }

  #seat(role: Role, number: number): Seat {
    const name = `${role}-${number}`;
    const seat = this.#seats.get(name) ?? {
      ...{ role, number, member: undefined, ahead: 0, started: undefined, up: false, own: {} },
    };
    this.#seats.set(name, seat);
    return seat;
  }
}

/** Where a replica keeps what is its own; the log and the nodes are where an embedded installation has them. */
export function dataFolder(folder: string, role: Role, number: number): string {
  return role === 'store' || role === 'nodes' ? folder : join(folder, 'parts', `${role}-${number}`);
}
