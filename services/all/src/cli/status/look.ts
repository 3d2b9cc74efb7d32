/** Asks a process whether it is ready and what it measures, and is back by a deadline whatever it does. */
import { isNativeError } from 'node:util/types';

import { type Sample, samplesOf } from './prometheus-text.ts';

/** A process and where its metrics are (METRICS_LISTEN), which answers its health as well. */
export interface Target {
  readonly name: string;
  /** Base URL, e.g. `http://127.0.0.1:14000`. */
  readonly url: string;
}

/** What came of asking. Without samples it did not say what it measures, and `why` says how that was. */
export interface Look extends Target {
  readonly answers: boolean;
  readonly ready: boolean;
  readonly samples: readonly Sample[] | undefined;
  readonly why: string | undefined;
}

/** Bytes of metrics beyond which an answer is none of ours. */
const MOST = 16 * 1024 * 1024;

/**
 * Never rejects.
 *
 * @param ended ends it before the deadline
 */
export async function look(
  target: Target,
  deadlineMilliseconds: number,
  ended?: AbortSignal,
): Promise<Look> {
  const signal = AbortSignal.any([
    AbortSignal.timeout(deadlineMilliseconds),
    ...(ended === undefined ? [] : [ended]),
  ]);
  const failed = (error: unknown): string =>
    signal.aborted && ended?.aborted !== true
      ? `no answer within ${deadlineMilliseconds} ms`
      : reasonOf(error);
  let ready = false;
  try {
    const answer = await fetch(new URL('/health/ready', target.url), {
      signal,
      redirect: 'manual',
    });
    const { status } = answer;
    await answer.body?.cancel();
    if (status !== 200 && status !== 503) {
      const why = `it answers ${status} to /health/ready: something else listens there`;
      return { ...target, answers: false, ready: false, samples: undefined, why };
    }
    ready = status === 200;
  } catch (error) {
    return { ...target, answers: false, ready: false, samples: undefined, why: failed(error) };
  }
  const said = { ...target, answers: true, ready };
  try {
    const answer = await fetch(new URL('/metrics', target.url), { signal, redirect: 'manual' });
    if (answer.status !== 200) {
      await answer.body?.cancel();
      return { ...said, samples: undefined, why: `it answers ${answer.status} to /metrics` };
    }
    const text = await textOf(answer);
    const samples = text === undefined ? undefined : samplesOf(text);
    const ours = samples?.some(({ name }) => name === 'bivouac_build_info') === true;
    return ours
      ? { ...said, samples, why: undefined }
      : { ...said, samples: undefined, why: 'its /metrics are not those of Bivouac' };
  } catch (error) {
    return { ...said, samples: undefined, why: `its /metrics: ${failed(error)}` };
  }
}

async function textOf(answer: Response): Promise<string | undefined> {
  if (answer.body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of answer.body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MOST) return undefined;
  }
  return text + decoder.decode();
}

function reasonOf(error: unknown): string {
  // Not `instanceof`: errors of the client are not always of this realm.
  if (!isNativeError(error)) return String(error);
  const { cause } = error;
  return isNativeError(cause) && cause.message !== '' ? cause.message : error.message;
}
