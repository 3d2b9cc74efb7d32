/** `Delete` and `Tombstone`: what nobody of Bivouac asks for, and others may. */
import { type sendUnaryData, type ServerUnaryCall, status } from '@grpc/grpc-js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type {
  DeleteReq,
  DeleteResp,
  TombstoneReq,
  TombstoneResp,
} from '@eventstore/db-client/generated/streams_pb.js';
import { parsePosition } from '@bivouac/events/language';
import { EventStoreError, type ExpectedRevision } from '../../event-store/port.ts';
import { CallError, callError, streamName } from './messages.ts';
import type { Served } from './served.ts';

export function serveDelete(
  { states, stride }: Served,
  call: ServerUnaryCall<DeleteReq, DeleteResp>,
  answer: sendUnaryData<DeleteResp>,
): void {
  const options = call.request.getOptions();
  const stream = streamName(options?.getStreamIdentifier());
  answered(answer, async () => {
    const { position } = await states.delete(stream, expectedOf(options)).catch(refused(stream));
    const at = new streams.DeleteResp.Position();
    at.setCommitPosition(String(parsePosition(position) * stride));
    at.setPreparePosition(String(parsePosition(position) * stride));
    const response = new streams.DeleteResp();
    response.setPosition(at);
    return response;
  });
}

export function serveTombstone(
  { states, stride }: Served,
  call: ServerUnaryCall<TombstoneReq, TombstoneResp>,
  answer: sendUnaryData<TombstoneResp>,
): void {
  const options = call.request.getOptions();
  const stream = streamName(options?.getStreamIdentifier());
  answered(answer, async () => {
    const { position } = await states.tombstone(stream, expectedOf(options)).catch(refused(stream));
    const at = new streams.TombstoneResp.Position();
    at.setCommitPosition(String(parsePosition(position) * stride));
    at.setPreparePosition(String(parsePosition(position) * stride));
    const response = new streams.TombstoneResp();
    response.setPosition(at);
    return response;
  });
}

function answered<T>(answer: sendUnaryData<T>, work: () => Promise<T>): void {
  work().then(
    (response) => answer(null, response),
    (error: unknown) => answer(callError(error)),
  );
}

function expectedOf(
  options: DeleteReq.Options | TombstoneReq.Options | undefined,
): ExpectedRevision | 'any' {
  if (options?.hasRevision() === true) return BigInt(options.getRevision());
  return options?.hasNoStream() === true ? 'no-stream' : 'any';
}

/** A wrong revision ends these calls with an error, unlike an append. */
function refused(stream: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof EventStoreError) || error.code !== 'conflict') throw error;
    throw new CallError(status.FAILED_PRECONDITION, `Delete failed: ${error.message}`, {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': '',
      'actual-version': error.actual === 'no-stream' ? '' : String(error.actual),
    });
  };
}
