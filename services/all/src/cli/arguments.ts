/** What is said on the command line of `bivouac`, or what is wrong with it. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { parseServiceUrls } from '@bivouac/infra/runtime';
import { type PrincipalKind, PrincipalKindSchema } from '@bivouac/infra/calls';

const verbs = ['verify', 'replay', 'bills'] as const;

export interface LogCommand {
  readonly group: 'log';
  readonly verb: (typeof verbs)[number];
  /** Folder of everything kept on this machine: read models, keys. */
  readonly data: string;
  /** Where the keys are, as in KEYS_URL, and their master key, as in KEYS_MASTER_FILE. */
  readonly keys: { readonly url: string; readonly masterFile: string | undefined };
  /** Folder of the log, or where it is served. */
  readonly log: string;
  readonly json: boolean;
  /** Most faults to name. */
  readonly most: number;
}

export interface BusCommand {
  readonly group: 'bus';
  readonly verb: 'verify';
  /** Folder of the log. */
  readonly log: string;
  /** Where the brokers are, as in BUS_URL. */
  readonly bus: string;
  readonly json: boolean;
}

export interface NewEpochCommand {
  readonly group: 'log';
  readonly verb: 'new-epoch';
  /** Folder of the log. */
  readonly log: string;
  readonly json: boolean;
}

export interface CopyCommand {
  readonly group: 'log';
  readonly verb: 'copy';
  /** Folder of the log. */
  readonly from: string;
  /** Where it goes, as in EVENT_STORE_URL. */
  readonly to: string;
  /** Compares alone. */
  readonly verifyOnly: boolean;
  readonly json: boolean;
}

export interface SettleCommand {
  readonly group: 'log';
  readonly verb: 'settle';
  readonly json: boolean;
}

export interface BackupCommand {
  readonly group: 'log';
  readonly verb: 'backup';
  /** Folder of the log. */
  readonly log: string;
  /** Folder of the copy, which must be new or empty. */
  readonly to: string;
  readonly json: boolean;
}

export interface StatusCommand {
  readonly group: 'status';
  readonly verb: 'status';
  /** Where the metrics of processes are, by name. */
  readonly at: ReadonlyMap<string, readonly string[]>;
  /** Seconds between two looks; undefined: one look. */
  readonly every: number | undefined;
  readonly json: boolean;
}

export interface IdentityCommand {
  readonly group: 'identity';
  readonly verb: 'new';
  /** The caller's: `gateway`, `endpoint`, `seed`. */
  readonly name: string;
  readonly folder: string;
  /** The file's name where it is not the caller's. */
  readonly file: string | undefined;
  /** For whom it may speak, where that is not known by its name. */
  readonly principals: readonly PrincipalKind[] | undefined;
  readonly json: boolean;
}

/** A command line that cannot be followed; the message says why and how it is used. */
export class UsageError extends Error {
  constructor(what: string) {
    super(`${what}\n\n${usage}`);
    this.name = 'UsageError';
  }
}

export const usage = `Usage: bivouac log verify [--data ./data] [--log <folder>] [--faults 20] [--json]
                  [--keys folder:<path>] [--keys-master <file>]
       bivouac log replay [--data ./data] [--log <folder>] [--json]
       bivouac log bills  [--data ./data] [--log <folder>] [--json]
       bivouac log new-epoch [--data ./data] [--log <folder>] [--json]
       bivouac log copy --from ./data --to esdb://host:port [--verify-only] [--json]
       bivouac log settle [--json]
       bivouac log backup --to <folder> [--data ./data] [--log <folder>] [--json]
       bivouac status [--at relay=http://host:14200,billing=http://…|http://…] [--json]
                      [--watch [--every 3]]
       bivouac bus verify --bus kafka://host:port [--data ./data] [--log <folder>] [--json]
       bivouac identity new --name gateway [--folder ./identities] [--file gateway-2]
                            [--principals key,system] [--json]

  log verify   checks every row of the log of a stopped installation: chain, head record, positions,
               revisions, ids, schemas and the commitments of sealed values
  log replay   rebuilds every read model from the log into a scratch folder and compares it, row by
               row, with the live one
  log bills    works out every invoice again from the log's other events, by other code than billing's,
               and compares them to the minor unit
  log new-epoch
               gives a log that was restored from an older copy another epoch, so that nobody takes it
               for the one whose end is lost; refused where a row is damaged
  log copy     moves the log of a stopped installation to an empty EventStoreDB as a log of a new epoch,
               and compares both in full at the end; cut short, it goes on where it stopped when it is
               given again. --verify-only compares alone
  log settle   starts the installation of the settings (DATA_DIR, EVENT_STORE_URL, NODE_URL, ...) without
               GraphQL, stops it when every reaction has come to the end of the log: before log copy
  log backup   copies the log of a running or stopped installation into a new folder, reads the whole copy,
               and records when it was made (events.backup beside the log, BACKUP_RECORD_FILE)
  status       asks every process what is wrong, and says what to do; with --watch again and again until
               Ctrl-C
  bus verify   compares the log of a stopped installation with its Kafka topic, event by event, and
               names the first difference
  identity new makes the key with which a process calls services (IDENTITY_FILE), and adds it to the
               callers they answer (trusted-callers.json of the folder, TRUSTED_CALLERS_FILE)

  --data   the data folder (DATA_DIR); ./data
  --log    the folder of the log where it is another, or (verify, replay, bills) the URL of an
           EventStoreDB: esdb://host:port (EVENT_STORE_URL)
  --keys   where the keys are (KEYS_URL); keys of the data folder
  --keys-master the file of their master key (KEYS_MASTER_FILE); master.key among them
  --bus    the brokers, as BUS_URL has them
  --from   the folder of the log that is copied
  --to     where the copy goes: EVENT_STORE_URL of the processes to come, or a folder
  --at     where the metrics of each process are (METRICS_LISTEN); on this machine at PORT and 10000
  --every  seconds between two looks of --watch
  --faults how many faults to name; all are counted
  --name   who calls: gateway, endpoint, seed, or another with --principals
  --folder where the files of identities are; ./identities
  --file   the name of the identity's file, for a second key of a name that has one
  --principals for whom it may speak: member, key, node, system, comma-separated
  --json   one JSON object instead of sentences

Exit code 0: all is as it is said. 1: it is not. 2: it could not be checked.`;

/** Reads the arguments after the program's name. Throws a {@link UsageError}. */
export function commandOf(
  args: readonly string[],
):
  | LogCommand
  | NewEpochCommand
  | CopyCommand
  | SettleCommand
  | BackupCommand
  | StatusCommand
  | BusCommand
  | IdentityCommand
  | 'help' {
  const parsed = parsedOf(args);
  const { values, positionals } = parsed;
  if (values.help === true) return 'help';
  const [group, name, ...rest] = positionals;
  const data = values.data ?? './data';
  if (group === 'bus' && name === 'verify' && rest.length === 0) {
    if (values.bus === undefined) {
      throw new UsageError('Say where the brokers are: --bus kafka://host:port.');
    }
    const { bus } = values;
    return { group, verb: name, log: values.log ?? data, bus, json: values.json === true };
  }
  if (group === 'log' && name === 'new-epoch' && rest.length === 0) {
    return { group, verb: name, log: values.log ?? data, json: values.json === true };
  }
  if (group === 'log' && name === 'copy' && rest.length === 0) {
    const { from, to } = values;
    if (from === undefined) throw new UsageError('Say which log: --from <its folder>.');
    if (to === undefined) throw new UsageError('Say where it goes: --to esdb://host:port.');
    const verifyOnly = values['verify-only'] === true;
    return { group, verb: name, from, to, verifyOnly, json: values.json === true };
  }
  if (group === 'log' && name === 'settle' && rest.length === 0) {
    return { group, verb: name, json: values.json === true };
  }
  if (group === 'log' && name === 'backup' && rest.length === 0) {
    if (values.to === undefined) throw new UsageError('Say where the copy goes: --to <folder>.');
    const { to } = values;
    return { group, verb: name, log: values.log ?? data, to, json: values.json === true };
  }
  if (group === 'status' && name === undefined) {
    const parsedAt = parseServiceUrls(values.at ?? '');
    if ('problems' in parsedAt) throw new UsageError(`--at: ${parsedAt.problems.join('; ')}`);
    const every = everyIn(values.every, values.watch === true);
    return { group, verb: group, at: parsedAt.urls, every, json: values.json === true };
  }
  if (group === 'identity' && name === 'new' && rest.length === 0) {
    if (values.name === undefined) throw new UsageError('Say who calls: --name gateway.');
    return {
      ...{ group, verb: name, name: values.name, folder: values.folder ?? './identities' },
      ...{ file: values.file, principals: principalsIn(values.principals) },
      json: values.json === true,
    };
  }
  const verb = verbs.find((one) => one === name);
  if (group !== 'log' || verb === undefined || rest.length > 0) {
    throw new UsageError(
      positionals.length === 0
        ? 'Say what to do.'
        : `There is no command ${positionals.join(' ')}.`,
    );
  }
  const most = Number(values.faults ?? '20');
  if (!Number.isSafeInteger(most) || most < 1) {
    throw new UsageError(`--faults is ${values.faults ?? ''}: expected a whole number from 1.`);
  }
  const keys = {
    url: values.keys ?? `folder:${join(data, 'keys')}`,
    masterFile: values['keys-master'],
  };
  return { group, verb, data, keys, log: values.log ?? data, json: values.json === true, most };
}

function everyIn(text: string | undefined, watch: boolean): number | undefined {
  if (!watch) {
    if (text !== undefined) throw new UsageError('--every goes with --watch.');
    return undefined;
  }
  const every = Number(text ?? '3');
  if (every >= 1 && every <= 3600) return every;
  throw new UsageError(`--every is ${text ?? ''}: expected seconds from 1 to 3600.`);
}

function principalsIn(text: string | undefined): readonly PrincipalKind[] | undefined {
  return text?.split(',').map((one) => {
    const kind = PrincipalKindSchema.safeParse(one.trim());
    if (kind.success) return kind.data;
    throw new UsageError(
      `--principals has ${JSON.stringify(one)}: expected ${PrincipalKindSchema.options.join(', ')}.`,
    );
  });
}

function parsedOf(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        data: { type: 'string' },
        log: { type: 'string' },
        keys: { type: 'string' },
        'keys-master': { type: 'string' },
        bus: { type: 'string' },
        from: { type: 'string' },
        to: { type: 'string' },
        'verify-only': { type: 'boolean' },
        at: { type: 'string' },
        watch: { type: 'boolean' },
        every: { type: 'string' },
        faults: { type: 'string' },
        name: { type: 'string' },
        folder: { type: 'string' },
        file: { type: 'string' },
        principals: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
