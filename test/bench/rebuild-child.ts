/**
 * Builds all read models of all services from a log, from nothing. First argument: the data folder.
 * Prints events, seconds and the most memory this process ever held, which has the services and the
 * log in it, no gateway and no agents.
 */
import { rmSync, mkdirSync } from 'node:fs';
import path from 'node:path';

import { allServices } from '@bivouac/all/services';
import { parsePosition } from '@bivouac/events/language';
import { openEmbeddedStore } from '@bivouac/infra/event-store';
import { registryOf, startFollower, systemClock, viewSchemaOf } from '@bivouac/infra/runtime';
import { openSqliteViews, type ViewStore } from '@bivouac/infra/views';

import { RELEASE } from './release.ts';

const folder = process.argv[2] ?? '';
const viewsFolder = path.join(folder, 'views');
rmSync(viewsFolder, { recursive: true, force: true });
mkdirSync(viewsFolder);
const store = await openEmbeddedStore({ folder });
const views: ViewStore[] = [];
const began = performance.now();
const follower = startFollower({
  store,
  registry: registryOf(allServices),
  services: allServices,
  views: (name) => {
    const service = allServices.find((each) => each.name === name);
    if (service === undefined) throw new Error(`there is no service ${name}`);
    const schema = viewSchemaOf(service, RELEASE);
    const view = openSqliteViews({ file: path.join(viewsFolder, name), ...schema });
    views.push(view);
    return view;
  },
  clock: systemClock,
  onFailure: (error) => {
    console.error(error);
    process.exit(1);
  },
});
await follower.caughtUp;
await follower.stop();
const seconds = (performance.now() - began) / 1000;
const { position } = await store.head();
const events = position === null ? 0 : Number(parsePosition(position));
console.log(JSON.stringify({ events, seconds, peakBytes: process.resourceUsage().maxRSS * 1024 }));
for (const view of views) view.close();
await store.close();
process.disconnect?.();
