/** `Append` and `BatchAppend`: one at a time, and many on one call. */
import {
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerReadableStream,
  status,
} from '@grpc/grpc-js';
import code from '@eventstore/db-client/generated/code_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import statuses from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type {
  AppendReq,
  AppendResp,
  BatchAppendReq,
  BatchAppendResp,
} from '@eventstore/db-client/generated/streams_pb.js';
import any from 'google-protobuf/google/protobuf/any_pb.js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import { type NewEvent, parsePosition } from '@bivouac/events/language';
import {
  type AppendResult,
  EventStoreError,
  type ExpectedRevision,
} from '../../event-store/port.ts';
import type { Fault } from './faults.ts';
import {
  callError,
  CallError,
  connectionOf,
  identifierOf,
  proposedEvent,
  streamName,
  uuidText,
} from './messages.ts';
import { Tombstoned } from './stream-states.ts';
import { checkLeads, failOn, isHung, type Served } from './served.ts';

/** What became of an append, as far as the protocol tells it in an answer. */
type Outcome =
  | { readonly kind: 'written'; readonly result: AppendResult }
  | { readonly kind: 'wrong-version'; readonly actual: ExpectedRevision };

/** Serves one plain append: its options, its events, one answer. */
export function serveAppend(
  served: Served,
  answer: sendUnaryData<AppendResp>,
  call: ServerReadableStream<AppendReq, AppendResp>,
): void {
  let options: AppendReq.Options | undefined;
  const events: NewEvent[] = [];
  let refused: CallError | undefined;
  call.on('data', (message: AppendReq) => {
    options = message.getOptions() ?? options;
    const proposed = message.getProposedMessage();
    if (proposed === undefined || refused !== undefined) return;
    try {
      events.push(proposedEvent(proposed));
    } catch (error) {
      refused = callError(error);
    }
  });
  call.on('end', () => {
    const stream = streamName(options?.getStreamIdentifier());
    const fault = served.faults({ method: 'append', stream, connection: connectionOf(call) });
    const run = async (): Promise<AppendResp | undefined> => {
      if (isHung(fault, 'before')) return undefined;
      failOn(fault, 'before');
      checkLeads(served, call);
      if (refused !== undefined) throw refused;
      const expected = await expectedOf(served, stream, {
        noStream: options?.hasNoStream(),
        any: options?.hasAny(),
        revision: options?.hasRevision() ? options.getRevision() : undefined,
      });
      const first = events[0]?.id ?? '';
      if (served.unreplicated.has(first)) return undefined;
      if (fault?.fault === 'unreplicated') {
        served.unreplicated.add(first);
        const becomes = await fault.becomes;
        served.unreplicated.delete(first);
        if (becomes === 'kept') await append(served, stream, expected, events);
        return undefined;
      }
      if (fault?.fault === 'late') await fault.until;
      const outcome = await append(served, stream, expected, events);
      if (isHung(fault, 'after')) return undefined;
      failOn(fault, 'after');
      return appendAnswer(served, outcome, expected, fault);
    };
    run().then(
      (response) => {
        if (response !== undefined) answer(null, response);
      },
      (error: unknown) => answer(callError(error)),
    );
  });
}

/** Serves a call on which appends come one behind the other, each answered under its own id. */
export function serveBatchAppend(
  served: Served,
  call: ServerDuplexStream<BatchAppendReq, BatchAppendResp>,
): void {
  const open = new Map<
    string,
    { options: BatchAppendReq.Options | undefined; events: NewEvent[]; refused?: CallError }
  >();
  const pending = new Set<Promise<unknown>>();
  call.on('data', (message: BatchAppendReq) => {
    const id = uuidText(message.getCorrelationId());
    const batch = open.get(id) ?? { options: message.getOptions(), events: [] };
    open.set(id, batch);
    try {
      for (const proposed of message.getProposedMessagesList())
        batch.events.push(proposedEvent(proposed));
    } catch (error) {
      batch.refused ??= callError(error);
    }
    if (!message.getIsFinal()) return;
    open.delete(id);
    const { options } = batch;
    const stream = streamName(options?.getStreamIdentifier());
    const fault = served.faults({ method: 'batch-append', stream, connection: connectionOf(call) });
    const response = new streams.BatchAppendResp();
    response.setCorrelationId(message.getCorrelationId());
    response.setStreamIdentifier(options?.getStreamIdentifier());
    const run = async (): Promise<void> => {
      if (isHung(fault, 'before')) return;
      failOn(fault, 'before');
      checkLeads(served, call);
      if (batch.refused !== undefined) throw batch.refused;
      const expected = await expectedOf(served, stream, {
        noStream: options?.hasNoStream(),
        any: options?.hasAny(),
        revision: options?.hasStreamPosition() ? options.getStreamPosition() : undefined,
      });
      const outcome = await append(served, stream, expected, batch.events);
      if (isHung(fault, 'after')) return;
      failOn(fault, 'after');
      if (outcome.kind === 'written') response.setSuccess(batchSuccess(served, outcome.result));
      else response.setError(wrongVersionStatus(outcome.actual, expected));
      call.write(response);
      if (fault?.fault === 'twice') call.write(response);
    };
    const answering = run().catch((error: unknown) => {
      if (!(error instanceof Tombstoned)) return call.emit('error', callError(error));
      response.setError(deletedStatus(stream));
      return call.write(response);
    });
    pending.add(answering);
    void answering.finally(() => pending.delete(answering));
  });
  // Who has said all it has to say is answered all the same.
  call.on('end', () => void Promise.allSettled(pending).then(() => call.end()));
}

/** Any revision is taken for a stream's metadata alone, as clients send it. */
async function expectedOf(
  { states }: Served,
  stream: string,
  told: {
    readonly noStream: boolean | undefined;
    readonly any: boolean | undefined;
    readonly revision: string | undefined;
  },
): Promise<ExpectedRevision> {
  if (told.noStream === true) return 'no-stream';
  if (told.revision !== undefined) return BigInt(told.revision);
  if (told.any === true && stream.startsWith('$$')) return states.headOf(stream);
  throw new CallError(
    status.UNIMPLEMENTED,
    'this development server takes an exact expected revision or no stream, not any',
  );
}

async function append(
  { store, states }: Served,
  stream: string,
  expected: ExpectedRevision,
  events: readonly NewEvent[],
): Promise<Outcome> {
  try {
    return { kind: 'written', result: await states.append(stream, expected, events) };
  } catch (error) {
    if (!(error instanceof EventStoreError)) throw error;
    if (error.code === 'conflict' && error.actual !== undefined) {
      return { kind: 'wrong-version', actual: error.actual };
    }
    // The store refuses an append of which a part is there already; to EventStoreDB it is a wrong version.
    if (error.code === 'invalid' && error.message.startsWith('events[].id')) {
      const page = await store.readStream(stream, { direction: 'backwards', limit: 1 });
      return { kind: 'wrong-version', actual: page.exists ? page.head : 'no-stream' };
    }
    throw error;
  }
}

function appendAnswer(
  served: Served,
  outcome: Outcome,
  expected: ExpectedRevision,
  fault: Fault | undefined,
): AppendResp {
  const response = new streams.AppendResp();
  if (outcome.kind === 'wrong-version') {
    const wrong = new streams.AppendResp.WrongExpectedVersion();
    if (outcome.actual === 'no-stream') wrong.setCurrentNoStream(new shared.Empty());
    else wrong.setCurrentRevision(String(outcome.actual));
    if (expected === 'no-stream') wrong.setExpectedNoStream(new shared.Empty());
    else wrong.setExpectedRevision(String(expected));
    response.setWrongExpectedVersion(wrong);
    return response;
  }
  const success = new streams.AppendResp.Success();
  success.setCurrentRevision(String(outcome.result.revision));
  if (fault?.fault === 'no-position') success.setNoPosition(new shared.Empty());
  else {
    const position = new streams.AppendResp.Position();
    const at = parsePosition(outcome.result.position) * served.stride;
    position.setCommitPosition(String(fault?.fault === 'commit-apart' ? at + 1n : at));
    position.setPreparePosition(String(at));
    success.setPosition(position);
  }
  response.setSuccess(success);
  return response;
}

function batchSuccess(served: Served, result: AppendResult): BatchAppendResp.Success {
  const success = new streams.BatchAppendResp.Success();
  success.setCurrentRevision(String(result.revision));
  const position = new shared.AllStreamPosition();
  const at = String(parsePosition(result.position) * served.stride);
  position.setCommitPosition(at);
  position.setPreparePosition(at);
  success.setPosition(position);
  return success;
}

function wrongVersionStatus(actual: ExpectedRevision, expected: ExpectedRevision) {
  const wrong = new shared.WrongExpectedVersion();
  if (actual === 'no-stream') wrong.setCurrentNoStream(new empty.Empty());
  else wrong.setCurrentStreamRevision(String(actual));
  if (expected === 'no-stream') wrong.setExpectedNoStream(new empty.Empty());
  else wrong.setExpectedStreamPosition(String(expected));
  const details = new any.Any();
  details.pack(wrong.serializeBinary(), 'event_store.client.WrongExpectedVersion');
  const answer = new statuses.Status();
  answer.setCode(code.Code.FAILED_PRECONDITION);
  answer.setMessage('WrongExpectedVersion');
  answer.setDetails(details);
  return answer;
}

function deletedStatus(stream: string) {
  const deleted = new shared.StreamDeleted();
  deleted.setStreamIdentifier(identifierOf(stream));
  const details = new any.Any();
  details.pack(deleted.serializeBinary(), 'event_store.client.StreamDeleted');
  const answer = new statuses.Status();
  answer.setCode(code.Code.FAILED_PRECONDITION);
  answer.setMessage('StreamDeleted');
  answer.setDetails(details);
  return answer;
}
