import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventRegistry, formatPosition, type Recorded } from '@bivouac/events/language';
import {
  AskAnswered,
  answerStream,
  operationProtocolEvents,
  StepAsked,
} from '@bivouac/events/operations';
import { deriveId, uuidOf } from '@bivouac/events/values';

import { type EventStore, memoryEventStore } from '../event-store/index.ts';
import { memoryKeys } from '../keys/index.ts';
import { ManualClock } from './clock.ts';
import { commandHost } from './commands/host.ts';
import { responder, service } from './definitions.ts';
import { reactionsOf } from './policies.ts';

type Answered = Exclude<Awaited<ReturnType<ResponderSpec['act']>>, 'later'>;
type ResponderSpec = Parameters<typeof responder<'quotas.release'>>[1];

const registry = eventRegistry(operationProtocolEvents);
const tenantId = deriveId('tenant', 'customer');
const ref = { operationId: deriveId('operation', 'one'), step: 'reserve', attempt: 1 };
const reservationId = deriveId('reservation', 'one');
const notAfter = '2026-04-10T09:01:00.000Z';

let store: EventStore;
let clock: ManualClock;
let done: string[];
let whileActing: () => Promise<void>;
let answer: Answered;

beforeEach(() => {
  store = memoryEventStore();
  clock = new ManualClock('2026-04-10T09:00:00.000Z');
  done = [];
  whileActing = () => Promise.resolve();
  answer = { outcome: 'done', result: {} };
});
afterEach(() => store.close());

const asked: Recorded = {
  id: uuidOf('asked'),
  type: StepAsked.type,
  schemaver: 1,
  time: '2026-04-10T09:00:00.000Z',
  tenantid: tenantId,
  homeid: tenantId,
  actorid: 'a',
  correlationid: uuidOf('c'),
  causationid: uuidOf('c'),
  commandkey: uuidOf('k'),
  inputhash: 'h',
  stream: `operation-${ref.operationId}`,
  revision: 3n,
  position: formatPosition(3n),
  epoch: 'e',
  data: {
    ref,
    ask: 'quotas.release',
    tenantId,
    input: { reservationId },
    notAfter,
  },
};

/** Delivers the ask to an owner that notes what it does. */
async function deliver(): Promise<void> {
  const owner = responder('quotas.release', {
    act: async () => {
      done.push('act');
      await whileActing();
      return answer;
    },
    undo: () => {
      done.push('undo');
      return Promise.resolve();
    },
  });
  const ports = {
    keys: memoryKeys(),
    secrets: {
      put: () => Promise.resolve(),
      get: () => Promise.resolve(undefined),
      destroy: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
    blobs: { put: () => Promise.resolve(''), get: () => Promise.resolve(undefined) },
    random: (n: number) => new Uint8Array(n),
  };
  const [reaction] = reactionsOf(
    service({
      name: 'quotas',
      events: [],
      commands: [],
      queries: [],
      projections: [],
      policies: [],
      responders: [owner],
    }),
    {
      host: commandHost({ handlers: [], store, registry, clock, ports, providerId: () => 'p' }),
      store,
      registry,
      clock,
      ports,
      viewAt: () => Promise.resolve(undefined),
    },
  );
  if (reaction === undefined) throw new Error('nothing reacts');
  expect(reaction.target(asked)).toBe(ref.operationId);
  const anothers = { ...asked, data: { ...asked.data, ask: 'quotas.reserve' } };
  expect(reaction.target(anothers)).toBeUndefined();
  await reaction.react(asked);
}

/** Says `timed-out` as the operation's deadline does. */
async function timeOut(): Promise<void> {
  const { schemaver, data } = registry.encode(
    AskAnswered({ ref, ask: 'quotas.release', outcome: 'timed-out' }),
  );
  const {
    id: _id,
    data: _data,
    stream: _stream,
    revision: _r,
    position: _p,
    epoch: _e,
    ...envelope
  } = asked;
  await store.append(answerStream(ref), 'no-stream', [
    { ...envelope, id: uuidOf('late'), type: AskAnswered.type, schemaver, data },
  ]);
}

async function answered(): Promise<string | undefined> {
  const page = await store.readStream(answerStream(ref));
  const event = page.exists ? page.events[0] : undefined;
  return event === undefined ? undefined : String(registry.decode(event)?.data['outcome']);
}

describe('an ask', () => {
  test('is acted on and answered once; delivered again it changes nothing', async () => {
    await deliver();
    await deliver();
    expect(done).toEqual(['act']);
    expect(await answered()).toBe('done');
  });

  test('that was refused and comes again is not acted on, though it would be possible now', async () => {
    answer = {
      outcome: 'refused',
      refusal: { code: 'QUOTA_EXCEEDED', message: 'too little left' },
    };
    await deliver();
    answer = { outcome: 'done', result: {} };
    await deliver();
    expect(done).toEqual(['act']);
    expect(await answered()).toBe('refused');
  });

  test('whose time-out stands is undone when it comes again, also where the clock was set back', async () => {
    await timeOut();
    await deliver();
    expect(done).toEqual(['undo']);
    expect(await answered()).toBe('timed-out');
  });

  test('whose done comes after the time-out is undone', async () => {
    whileActing = timeOut;
    await deliver();
    expect(done).toEqual(['act', 'undo']);
    expect(await answered()).toBe('timed-out');
  });

  test('that first arrives after its deadline is not acted on, and whatever was done is undone', async () => {
    clock.moveTo('2026-04-10T10:00:00.000Z');
    await deliver();
    expect(done).toEqual(['undo']);
    // Nobody whose clock is behind can do it any more.
    expect(await answered()).toBe('timed-out');
    await deliver();
    expect(done).toEqual(['undo', 'undo']);
  });

  test('that another answers while it is found to be late is not undone', async () => {
    const readStream = store.readStream.bind(store);
    // What was read was true before the other answered.
    store.readStream = async (...given) => {
      store.readStream = readStream;
      const before = await store.readStream(...given);
      await deliver();
      clock.moveTo('2026-04-10T10:00:00.000Z');
      return before;
    };
    await deliver();
    expect(done).toEqual(['act']);
    expect(await answered()).toBe('done');
  });

  test('that is refused when its deadline has passed is undone too: one who died may have done it in time', async () => {
    answer = { outcome: 'refused', refusal: { code: 'ASK_EXPIRED', message: 'it is late' } };
    whileActing = () => {
      clock.moveTo('2026-04-10T10:00:00.000Z');
      return Promise.resolve();
    };
    await deliver();
    expect(done).toEqual(['act', 'undo']);
    expect(await answered()).toBe('refused');
    // It may have died before it had undone it.
    await deliver();
    expect(done).toEqual(['act', 'undo', 'undo']);
  });

  test('that is refused for being late, where another has done it, is not undone', async () => {
    whileActing = async () => {
      whileActing = () => Promise.resolve();
      await deliver();
      clock.moveTo('2026-04-10T10:00:00.000Z');
      answer = { outcome: 'refused', refusal: { code: 'ASK_EXPIRED', message: 'it is late' } };
    };
    await deliver();
    expect(done).toEqual(['act', 'act']);
    expect(await answered()).toBe('done');
  });

  test('answered in time and delivered again after its deadline is not undone', async () => {
    await deliver();
    clock.moveTo('2026-04-10T10:00:00.000Z');
    await deliver();
    expect(done).toEqual(['act']);
    expect(await answered()).toBe('done');
  });
});
