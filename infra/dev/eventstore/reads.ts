/** `Read`: pages of a stream or of the log, and subscriptions. */
import { once } from 'node:events';
import { type ServerWritableStream, status } from '@grpc/grpc-js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import {
  formatPosition,
  parsePosition,
  type Position,
  type StoredEvent,
} from '@bivouac/events/language';
import type { Checkpoint, Direction } from '../../event-store/port.ts';
import type { Fault } from './faults.ts';
import {
  CallError,
  callError,
  connectionOf,
  eventMessage,
  identifierOf,
  streamName,
} from './messages.ts';
import { checkLeads, failOn, isHung, type Served } from './served.ts';

/** Events read of the store at a time. */
const PAGE = 500;

type ReadCall = ServerWritableStream<ReadReq, ReadResp>;

/** Serves one read or subscription, until it ends or the other side cancels it. */
export function serveRead(served: Served, call: ReadCall): void {
  const stop = new AbortController();
  call.on('cancelled', () => stop.abort());
  call.on('close', () => stop.abort());
  served.ended.addEventListener('abort', () => stop.abort(), { once: true, signal: stop.signal });
  const options = call.request.getOptions();
  const named = options?.getStream();
  const stream = named === undefined ? undefined : streamName(named.getStreamIdentifier());
  const method = options?.hasSubscription() === true ? 'subscribe' : 'read';
  const fault = served.faults({ method, stream, connection: connectionOf(call) });
  const out = new Outgoing(served, call, fault, stop.signal);
  const run = async (): Promise<void> => {
    if (options === undefined) throw new CallError(status.INVALID_ARGUMENT, 'a read needs options');
    if (isHung(fault, 'before')) return;
    failOn(fault, 'before');
    checkLeads(served, call);
    if (method === 'subscribe') await subscribe(served, options, stream, out, stop.signal);
    else if (stream !== undefined) await readStream(served, options, stream, out);
    else await readAll(served, options, out);
    if (isHung(fault, 'after')) return;
    call.end();
  };
  run().catch((error: unknown) => {
    if (error instanceof Ended) {
      if (error.how === 'end') call.end();
    } else if (!stop.signal.aborted || served.ended.aborted) call.emit('error', callError(error));
  });
}

/** Thrown to leave a read where a fault, or the other side, ends it. */
class Ended extends Error {
  readonly how: 'end' | 'silence';
  constructor(how: 'end' | 'silence') {
    super(how);
    this.how = how;
  }
}

/** What goes out, no faster than the other side takes it, and as the fault of this call says. */
class Outgoing {
  readonly #served: Served;
  readonly #call: ReadCall;
  readonly #fault: Fault | undefined;
  readonly #signal: AbortSignal;
  #events = 0;
  /** Those sent last, where a fault sends them again. */
  readonly #recent: StoredEvent[] = [];

  constructor(served: Served, call: ReadCall, fault: Fault | undefined, signal: AbortSignal) {
    this.#served = served;
    this.#call = call;
    this.#fault = fault;
    this.#signal = signal;
  }

  async event(event: StoredEvent): Promise<void> {
    const fault = this.#fault;
    if (fault?.fault === 'fell-behind') await this.#fallBehind(event, fault);
    else if (fault !== undefined && 'after' in fault && this.#events >= fault.after)
      this.#stop(fault);
    this.#events += 1;
    const disguise = fault?.fault === 'foreign' && fault.event === event.id ? fault.as : undefined;
    const placed = fault?.fault !== 'no-positions';
    await this.message(eventMessage(event, this.#served, placed, disguise));
  }

  async #fallBehind(event: StoredEvent, fault: Fault & { fault: 'fell-behind' }): Promise<void> {
    if (this.#events === fault.after) {
      const response = new streams.ReadResp();
      response.setFellBehind(new streams.ReadResp.FellBehind());
      await this.message(response);
      for (const before of this.#recent) {
        await this.message(eventMessage(before, this.#served, true));
      }
    }
    this.#recent.push(event);
    if (this.#recent.length > fault.again) this.#recent.shift();
  }

  async message(message: ReadResp): Promise<void> {
    if (this.#signal.aborted) throw new Ended('silence');
    if (this.#call.write(message)) return;
    await once(this.#call, 'drain', { signal: this.#signal }).catch(() => {
      throw new Ended('silence');
    });
  }

  #stop(fault: Extract<Fault, { fault: 'end' | 'break' | 'stall' }>): never {
    if (fault.fault === 'break') throw new CallError(fault.code, fault.details);
    throw new Ended(fault.fault === 'end' ? 'end' : 'silence');
  }
}

async function readStream(
  { store, states }: Served,
  options: ReadReq.Options,
  stream: string,
  out: Outgoing,
): Promise<void> {
  const named = options.getStream();
  const direction = directionOf(options);
  let remaining = Number(options.getCount());
  let from = named?.hasRevision() === true ? BigInt(named.getRevision()) : undefined;
  // The store's absent start is the end one reads from; the protocol can name either.
  if (direction === 'forwards' && named?.hasEnd() === true) remaining = 0;
  if (direction === 'backwards' && named?.hasStart() === true) from = 0n;
  for (;;) {
    const limit = Math.max(1, Math.min(remaining, PAGE));
    const page = await store.readStream(stream, {
      direction,
      limit,
      ...(from !== undefined && { from }),
    });
    const first = await states.firstOf(stream, page.exists ? page.head : -1n);
    if (!page.exists || first === undefined) {
      const missing = new streams.ReadResp.StreamNotFound();
      missing.setStreamIdentifier(identifierOf(stream));
      const response = new streams.ReadResp();
      response.setStreamNotFound(missing);
      return out.message(response);
    }
    const left = page.events.filter(({ revision }) => revision >= first);
    for (const event of left.slice(0, remaining)) await out.event(event);
    remaining -= left.length;
    const last = page.events.at(-1);
    if (page.end || last === undefined || remaining <= 0) return;
    from = last.revision + (direction === 'forwards' ? 1n : -1n);
    if (direction === 'backwards' && from < first) return;
  }
}

/** Forwards from a position inclusively, backwards exclusively, as EventStoreDB does. */
async function readAll(
  { store, stride, apart }: Served,
  options: ReadReq.Options,
  out: Outgoing,
): Promise<void> {
  const all = options.getAll();
  const direction = directionOf(options);
  let remaining = Number(options.getCount());
  const wanted = filterOf(options);
  let after: Position | undefined;
  if (all?.hasPosition() === true) {
    const n = numberOf(all.getPosition()?.getCommitPosition(), stride, apart);
    after =
      direction === 'backwards' ? formatPosition(n) : n > 1n ? formatPosition(n - 1n) : undefined;
  } else if (direction === 'backwards' ? all?.hasStart() === true : all?.hasEnd() === true) return;
  while (remaining > 0) {
    const limit = Math.min(remaining, PAGE);
    const page = await store.readAll({ direction, limit, ...(after !== undefined && { after }) });
    const asked = page.events.filter(wanted);
    for (const event of asked) await out.event(event);
    remaining -= asked.length;
    if (page.end) return;
    after = page.events.at(-1)?.position ?? after;
  }
}

async function subscribe(
  served: Served,
  options: ReadReq.Options,
  stream: string | undefined,
  out: Outgoing,
  signal: AbortSignal,
): Promise<void> {
  const { store, stride } = served;
  const confirmation = new streams.ReadResp.SubscriptionConfirmation();
  confirmation.setSubscriptionId(crypto.randomUUID());
  const confirmed = new streams.ReadResp();
  confirmed.setConfirmation(confirmation);
  const after = await startOf(served, options);
  await out.message(confirmed);
  const named = options.getStream();
  const from = named?.hasRevision() === true ? BigInt(named.getRevision()) : -1n;
  const wanted = filterOf(options);
  const every = checkpointEvery(options);
  let examined = 0;
  let caughtUp = false;
  let last: Position | undefined;
  for await (const message of store.subscribe({
    batch: PAGE,
    signal,
    ...(after !== undefined && { after }),
  })) {
    if (message.kind === 'caught-up') {
      if (caughtUp) continue;
      caughtUp = true;
      const response = new streams.ReadResp();
      response.setCaughtUp(new streams.ReadResp.CaughtUp());
      await out.message(response);
      continue;
    }
    for (const event of message.events) {
      last = event.position;
      examined += 1;
      const ofStream = stream === undefined || (event.stream === stream && event.revision > from);
      if (ofStream && wanted(event)) await out.event(event);
      if (every !== undefined && examined % every === 0)
        await out.message(checkpoint(last, stride));
    }
  }
}

/** Subscriptions begin exclusively after a position, where an event must stand. */
async function startOf(
  { store, stride, apart }: Served,
  options: ReadReq.Options,
): Promise<Checkpoint | undefined> {
  const all = options.getAll();
  const atEnd = all?.hasEnd() === true || options.getStream()?.hasEnd() === true;
  let n: bigint | undefined;
  if (all?.hasPosition() === true)
    n = numberOf(all.getPosition()?.getCommitPosition(), stride, apart);
  else if (atEnd) {
    const { position } = await store.head();
    if (position !== null) n = parsePosition(position);
  }
  if (n === undefined || n === 0n) return undefined;
  const before = n > 1n ? { after: formatPosition(n - 1n) } : {};
  const [event] = (await store.readAll({ ...before, limit: 1 })).events;
  if (event?.position !== formatPosition(n)) {
    throw new CallError(status.INVALID_ARGUMENT, 'no event stands at that position');
  }
  return { epoch: event.epoch, position: event.position, eventId: event.id };
}

function directionOf(options: ReadReq.Options): Direction {
  return options.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS
    ? 'backwards'
    : 'forwards';
}

/** The event's number that a position of the wire stands for. */
function numberOf(position: string | undefined, stride: bigint, apart: boolean): bigint {
  let n = BigInt(position ?? '0');
  if (apart && n % stride === stride / 2n) n -= stride / 2n;
  if (n % stride !== 0n) {
    // A real log is read at a byte: where no record begins there is nothing to be read.
    throw new CallError(status.INVALID_ARGUMENT, 'Trying to read from an invalid position.');
  }
  return n / stride;
}

function filterOf(options: ReadReq.Options): (event: StoredEvent) => boolean {
  const filter = options.getFilter();
  const byType = filter?.getEventType();
  const expression = byType ?? filter?.getStreamIdentifier();
  if (expression === undefined) return () => true;
  const prefixes = expression.getPrefixList();
  const regex = prefixes.length > 0 ? undefined : new RegExp(expression.getRegex(), 'u');
  return (event) => {
    const text = byType === undefined ? event.stream : event.type;
    return regex?.test(text) ?? prefixes.some((prefix) => text.startsWith(prefix));
  };
}

/** After how many events examined a filtered subscription says how far it has looked. */
function checkpointEvery(options: ReadReq.Options): number | undefined {
  const filter = options.getFilter();
  if (filter === undefined) return undefined;
  const window = filter.hasMax() ? filter.getMax() : 32;
  return Math.max(1, window * filter.getCheckpointintervalmultiplier());
}

function checkpoint(position: Position, stride: bigint): ReadResp {
  const message = new streams.ReadResp.Checkpoint();
  const at = String(parsePosition(position) * stride);
  message.setCommitPosition(at);
  message.setPreparePosition(at);
  const response = new streams.ReadResp();
  response.setCheckpoint(message);
  return response;
}
