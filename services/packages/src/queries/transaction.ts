/**
 * What an operation on packages came to: the answers to its two steps, which stand for ever in streams
 * of their own. No read model keeps them.
 */
import { is, parseKnown } from '@bivouac/events/language';
import {
  AskAnswered,
  type AskName,
  type AskResult,
  asks,
  answerStream,
  type PackageNameVersion,
} from '@bivouac/events/operations';
import { type QueryContext, queryHandler } from '@bivouac/infra/runtime';

import { PackageTransactionOfOperation, type PackageView } from '../api/index.ts';
import { evrText } from '../domain/evr.ts';

/** Attempts of a step that only looks; see the plan in docs/provisioning.md. */
const ATTEMPTS = [1, 2, 3] as const;

export const packageTransactionOfOperation = queryHandler(
  PackageTransactionOfOperation,
  async (_view, { operationId }, context) => {
    for (const attempt of ATTEMPTS) {
      const ref = { operationId, step: 'resolve', attempt };
      const resolved = await resultOf('packages.resolve', ref, context);
      if (resolved === undefined) continue;
      const { install, upgrade, remove } = resolved.transaction;
      const done = { operationId, step: 'packages', attempt: 1 };
      const report = (await resultOf('containers.packages', done, context))?.report;
      return {
        install: install.map(shown),
        upgrade: upgrade.map(shown),
        remove: remove.map(shown),
        report:
          report === undefined
            ? null
            : {
                added: report.added.map(shown),
                removed: report.removed.map(shown),
                configFiles: report.configFiles,
                output: report.output,
              },
      };
    }
    return null;
  },
);

/** The result of a step that was answered with `done`, within the caller's reach. */
async function resultOf<N extends 'packages.resolve' | 'containers.packages'>(
  name: N & AskName,
  ref: Parameters<typeof answerStream>[0],
  context: QueryContext,
): Promise<AskResult<N> | undefined> {
  const { events } = await context.history(answerStream(ref), { limit: 1 });
  const [answer] = events;
  if (answer === undefined || !is(answer, AskAnswered)) return undefined;
  if (!context.reaches(answer.tenantid) || answer.data.ask !== name) return undefined;
  const parsed = parseKnown(asks[name].result, answer.data.result);
  return parsed.success ? (parsed.data as AskResult<N>) : undefined;
}

function shown({ name, epoch, version, release, arch }: PackageNameVersion): PackageView {
  const one = { name, epoch, version, release, arch };
  return { ...one, evr: evrText(one) };
}
