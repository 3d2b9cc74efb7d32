/**
 * The writer's worker: drains its messages into groups, one transaction each, and keeps the head
 * record at most a second behind. After a failure it answers nothing but failures.
 */
import { availableParallelism } from 'node:os';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { LogFailure, messageOf } from './failure.js';
import { LogWriter } from './log-writer.js';
import { ProcessLock } from './process-lock.js';

/** @typedef {import('./messages.ts').FromWriter} FromWriter */

/** The largest number of appends in one transaction. */
const GROUP = 512;
/** Milliseconds the head record may lag; a second is promised. */
const RECORD_EVERY = 500;
/** Milliseconds to watch for the next message. */
const WATCH = 0.2;
const CORES = availableParallelism();

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);
const { folder, newEpoch, faults, handedOver } = /** @type {import('./messages.ts').WriterData} */ (
  workerData
);

/** @type {ProcessLock | undefined} */
let lock;
/** @type {LogWriter | undefined} */
let writer;
/** @type {NodeJS.Timeout | undefined} */
let recording;
let failed = false;
/** Messages received. */
let received = 0;
/** Whether it pays to watch for the next message instead of going to sleep. */
let watchful = false;
/** When the last group was answered. */
let answeredAt = 0;
/** When the head record was written last. */
let recordedAt = 0;

/** @param {FromWriter} message */
function post(message) {
  port.postMessage(message);
}

async function loadFaults() {
  if (faults === undefined) return {};
  /** @type {{ default: (data: unknown) => import('./messages.ts').WriterFaults }} */
  const loaded = await import(faults.module);
  return loaded.default(faults.data);
}

async function open() {
  try {
    lock = new ProcessLock(folder);
    writer = new LogWriter(folder, newEpoch, await loadFaults());
    post({ kind: 'ready', epoch: writer.epoch, position: writer.position });
  } catch (error) {
    lock?.release();
    const code = error instanceof LogFailure ? error.code : 'unavailable';
    post({ kind: 'refused', code, message: describe(error) });
    port.close();
  }
}

/** @param {unknown} error */
function describe(error) {
  if (error instanceof LogFailure) return error.message;
  return `the event log in ${folder} cannot be written: ${messageOf(error)}. Check that the folder exists, is writable and has space`;
}

/**
 * The next message if it is there, or comes within moments. A writer that waits for each answer
 * sends its next append right after it: going to sleep and being woken would cost it about as long
 * as a sync. Where that was not so the last time, nothing is watched for.
 * @returns {import('./messages.ts').ToWriter | undefined}
 */
function next(/** @type {boolean} */ idle) {
  if (idle && watchful) {
    const end = answeredAt + WATCH;
    while (Atomics.load(handedOver, 0) === received && performance.now() < end);
    watchful = Atomics.load(handedOver, 0) !== received;
  }
  const message = receiveMessageOnPort(port)?.message;
  if (message !== undefined) received += 1;
  return message;
}

/** @param {import('./messages.ts').ToWriter} first */
function receive(first) {
  received += 1;
  watchful = CORES > 1 && performance.now() - answeredAt < 2 * WATCH;
  /** @type {import('./log-writer.js').PendingAppend[]} */
  let group = [];
  /** @type {import('./messages.ts').ToWriter | undefined} */
  let message = first;
  while (message !== undefined) {
    if (message.kind === 'close') {
      if (group.length > 0) commit(group);
      close();
      return;
    }
    unpack(message, group);
    message = group.length < GROUP ? next(false) : undefined;
    if (message === undefined) {
      commit(group);
      group = [];
      message = next(true);
    }
  }
}

/**
 * @param {import('./messages.ts').AppendMessage} message
 * @param {import('./log-writer.js').PendingAppend[]} group
 */
function unpack({ streams, homes, expected, counts, frames }, group) {
  const bytes = Buffer.from(frames);
  let offset = 0;
  for (const [i, stream] of streams.entries()) {
    /** @type {Buffer[]} */
    const own = [];
    for (let n = counts[i] ?? 0; n > 0; n--) {
      const length = bytes.readUInt32LE(offset);
      own.push(bytes.subarray(offset, offset + length));
      offset += length;
    }
    group.push({ stream, home: homes[i] ?? '', expected: expected[i] ?? -1, frames: own });
  }
}

/** @param {import('./log-writer.js').PendingAppend[]} group */
function commit(group) {
  if (writer === undefined || failed) return;
  try {
    const outcomes = writer.append(group);
    post({ kind: 'outcomes', outcomes, head: writer.position });
    answeredAt = performance.now();
  } catch (error) {
    fail(error, group.length);
    return;
  }
  if (!writer.unrecorded) return;
  // Under constant load the loop does not turn, so the timer alone would come too late.
  if (answeredAt - recordedAt >= RECORD_EVERY) record();
  else recording ??= setTimeout(record, RECORD_EVERY);
}

function record() {
  clearTimeout(recording);
  recording = undefined;
  recordedAt = performance.now();
  if (writer === undefined || failed) return;
  try {
    writer.recordHead();
  } catch (error) {
    fail(error, 0);
  }
}

/**
 * Fails closed: after a write or a sync that failed nobody knows what the disk holds.
 * @param {unknown} error
 * @param {number} unknown
 */
function fail(error, unknown) {
  failed = true;
  const code = error instanceof LogFailure ? error.code : 'unavailable';
  post({ kind: 'failed', code, message: describe(error), unknown });
}

function close() {
  record();
  try {
    writer?.close(!failed);
  } catch (error) {
    if (!failed) fail(error, 0);
  }
  lock?.release();
  post({ kind: 'closed' });
  port.close();
}

port.on('message', receive);
await open();
