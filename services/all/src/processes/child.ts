/**
 * A process of a set: becomes the part of the system that it is told to be, as the part's own program
 * would, but with a clock that it is told, and answers what the set asks. Ends with who started it.
 */
import '@bivouac/graphql/production';

import { inspect } from 'node:util';

import { createLogger, readConfig } from '@bivouac/infra/runtime';
import { startTracing, type Tracing } from '@bivouac/infra/tracing';

import { type FromProcess, type Request, type Started, ToProcessSchema } from './messages.ts';
import { becomePart, type RunningPart } from './parts.ts';
import { ToldClock } from './told-clock.ts';

const clock = new ToldClock(0);
let part: RunningPart | undefined;
let tracing: Tracing | undefined;

process.on('message', (said) => {
  const { id, request } = ToProcessSchema.parse(said);
  obey(request).then(
    (answer) => {
      say({ id, answer });
    },
    (error: unknown) => {
      say({ id, refused: inspect(error).slice(0, 4000) });
    },
  );
});
process.on('disconnect', () => {
  process.exit(4);
});
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    say({ failed: inspect(error).slice(0, 4000) }, () => {
      process.exit(3);
    });
  });
}

function say(message: FromProcess, said?: () => void): void {
  if (process.connected) process.send?.(message, undefined, undefined, said);
}

async function obey(request: Request): Promise<unknown> {
  switch (request.type) {
    case 'start':
      return start(request);
    case 'clock':
      clock.tell(request.now);
      return {};
    case 'stop': {
      const stopping = part;
      part = undefined;
      await stopping?.stop();
      await tracing?.stop(2_000);
      return {};
    }
    case 'settle':
      return running().settle();
    case 'dump':
      return running().dump();
    case 'rebuild':
      await running().rebuild();
      return {};
    case 'subscriptions':
      return { count: running().subscriptions() };
    case 'end-subscriptions':
      running().endSubscriptions();
      return {};
    case 'instances':
      return { count: await running().instances() };
  }
}

function running(): RunningPart {
  if (part === undefined) throw new Error('this process is no part yet');
  return part;
}

async function start({
  role,
  settings,
  endpoints,
  now,
}: Extract<Request, { type: 'start' }>): Promise<Started> {
  if (part !== undefined) throw new Error('this process is a part already');
  clock.tell(now);
  const config = readConfig(settings);
  const logger = createLogger(config.LOG_LEVEL, process.stderr).child({ part: role });
  tracing = await startTracing(config, `bivouac-${role}`, logger);
  part = await becomePart(role, {
    config,
    clock,
    endpoints,
    logger,
    onFailure: (error) => {
      say({ failed: `${role}: ${inspect(error).slice(0, 4000)}` });
    },
  });
  return part.started;
}
