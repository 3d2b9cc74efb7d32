/** Installations in processes of their own, as the demo, the month and the tests start them. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { serveEventStore } from '@bivouac/infra/dev/eventstore';
import { type EventStore, openEmbeddedStore, openEventStore } from '@bivouac/infra/event-store';
import { removeBus } from '@bivouac/infra/bus';
import { createLogger } from '@bivouac/infra/runtime';

import type { LeftBehind } from '../checks/left.ts';
import type { InstallationKind, StartOptions } from '../installation.ts';
import { allServices } from '../services.ts';
import { Members } from './members.ts';
import { dataFolder } from './seats.ts';
import { RoleSchema } from './messages.ts';
import { type ProcessesInstallation, type ProcessesOptions, startProcesses } from './set.ts';

/** What all starts of a kind have in common. */
export type ProcessesKindOptions = Omit<ProcessesOptions, keyof StartOptions>;

export interface ProcessesKind extends InstallationKind {
  start(options: StartOptions): Promise<ProcessesInstallation>;
  /** Ends the processes, and removes what the logs have on the bus: they are not started again. */
  dispose(): Promise<void>;
}

/** Processes of this machine. What one start has left is there for the next, processes that idle too. */
export function processes(options: ProcessesKindOptions): ProcessesKind {
  const members = options.members ?? new Members();
  const epochs = new Set<string>();
  return {
    start: async (how) => {
      const installation = await startProcesses({ ...options, members, ...how });
      epochs.add((await installation.store.head()).epoch);
      return installation;
    },
    left: (folder) => leftByProcesses(folder),
    dispose: async () => {
      if (options.members === undefined) await members.close();
      const logger = createLogger('error', process.stderr);
      for (const epoch of epochs) await removeBus({ url: options.busUrl, epoch, logger });
      epochs.clear();
    },
  };
}

function leftByProcesses(folder: string): LeftBehind {
  return {
    openLog: () => openAsServed(folder),
    gapless: false,
    processes: async () => {
      const parts = new Set(await readdir(join(folder, 'parts')));
      return allServices.flatMap((service) => {
        const role = RoleSchema.parse(service.name);
        const numbers = [...parts].flatMap((name) =>
          name.startsWith(`${role}-`) ? [Number(name.slice(role.length + 1))] : [],
        );
        return numbers
          .sort((a, b) => a - b)
          .map((number) => ({ folder: dataFolder(folder, role, number), services: [service] }));
      });
    },
  };
}

/** The log as the processes have followed it: by the protocol of EventStoreDB. */
async function openAsServed(folder: string): Promise<EventStore> {
  const embedded = await openEmbeddedStore({ folder });
  const server = await serveEventStore({ store: embedded });
  const served = await openEventStore({ url: server.url, folder: join(folder, 'parts', 'set') });
  return {
    append: (stream, expected, events) => served.append(stream, expected, events),
    readStream: (stream, options) => served.readStream(stream, options),
    readAll: (options) => served.readAll(options),
    readHome: (home, options) => served.readHome(home, options),
    subscribe: (options) => served.subscribe(options),
    head: () => served.head(),
    close: async () => {
      await served.close();
      await server.close();
      await embedded.close();
    },
  };
}
