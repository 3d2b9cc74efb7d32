/** `bivouac log new-epoch`: a log restored from an older copy becomes one that nobody mistakes. */
import { examineLog, renewEpoch } from '@bivouac/infra/event-store';

import type { NewEpochCommand } from './arguments.ts';
import type { Outcome } from './outcome.ts';

/**
 * Reads every row before anything is changed: a copy that is damaged must not become the installation.
 *
 * @throws EventStoreError where the log is in use, missing or cannot be written.
 */
export function newEpoch({ log: folder, json }: NewEpochCommand): Outcome {
  const damage = firstDamage(folder);
  if (damage !== undefined) {
    return {
      exitCode: 1,
      text: json
        ? JSON.stringify({ ok: false, ...damage })
        : `NOT done, nothing was changed: ${damage.position}: ${damage.what}. Restore another copy.`,
    };
  }
  const { before, epoch, head } = renewEpoch(folder);
  return {
    exitCode: 0,
    text: json
      ? JSON.stringify({ ok: true, before, epoch, head })
      : [
          `epoch ${epoch} (it was ${before}), head ${head ?? 'none: the log is empty'}`,
          `The topic of ${before} on a Kafka cluster is nobody's now; the next start makes one of the new epoch.`,
          'Delete the views folder of every process that followed the log: the next start makes them anew.',
        ].join('\n'),
  };
}

function firstDamage(
  folder: string,
): { readonly position: string; readonly what: string } | undefined {
  const log = examineLog(folder);
  try {
    for (const { position, faults } of log.rows()) {
      const [fault] = faults;
      if (fault !== undefined) return { position: fault.position ?? position, what: fault.what };
    }
    return undefined;
  } finally {
    log.close();
  }
}
