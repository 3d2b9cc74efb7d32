/** From what processes said to what is wrong: by the thresholds that the alert rules go by. */
import { type Threshold, type ThresholdName, thresholds } from '@bivouac/infra/runtime';

import type { Look } from './look.ts';
import { judgeRecent } from './recent.ts';
import type { Series } from './series.ts';

export interface Problem {
  readonly alert: ThresholdName;
  /** What is wrong, where and how much. */
  readonly what: string;
  /** What to do first. */
  readonly remedy: string;
  /** Where the rest is written: a section of the runbook. */
  readonly runbook: string;
}

export interface Row {
  readonly name: string;
  readonly url: string;
  readonly state: 'ready' | 'not ready' | 'no answer';
  readonly release: string | null;
  /** Seconds since it began; null where it does not say. */
  readonly uptimeSeconds: number | null;
}

export interface NodeRow {
  readonly node: string;
  /** Seconds since its agent was last connected, 0 while it is; null where no endpoint has heard it. */
  readonly silentSeconds: number | null;
}

export interface Report {
  readonly ok: boolean;
  /** What needs a person, the urgent first. */
  readonly problems: readonly Problem[];
  /** What could not be told, and why. */
  readonly unclear: readonly string[];
  readonly processes: readonly Row[];
  /** Nodes that are enrolled and not drained, the longest silent first. */
  readonly nodes: readonly NodeRow[];
  /** The largest value of each measure, over all processes; null where none of them says. */
  readonly values: Readonly<Record<string, number | null>>;
  readonly lastBackup: string | null;
}

/**
 * @param now milliseconds since 1970
 * @param recorded when the last backup was made by the record on this machine, in the same unit; the name of a
 *   file where there is one that cannot be read; undefined where there is none
 */
export function evaluate(
  looks: readonly Look[],
  now: number,
  recorded: number | { readonly unreadable: string } | undefined,
): Report {
  const problems: Problem[] = [];
  const say = (alert: ThresholdName, what: string): void => {
    const { remedy, section } = thresholds[alert];
    problems.push({ alert, what, remedy, runbook: `docs/runbook.md#${section}` });
  };
  const of = (name: string): readonly Series[] =>
    looks.flatMap(({ name: at, samples = [] }) =>
      samples
        .filter((sample) => sample.name === `bivouac_${name}` && !Number.isNaN(sample.value))
        .map(({ labels, value }) => ({ at, labels, value })),
    );
  const beyond = (alert: ThresholdName, series: readonly Series[], label?: string): void => {
    const limit: Threshold = thresholds[alert];
    for (const { at, labels, value } of series) {
      if (value <= limit.most) continue;
      const where = label === undefined ? at : `${labels[label] ?? '?'} at ${at}`;
      say(alert, `${limit.says}: ${where}, ${amount(value, limit.unit)}`);
    }
  };

  for (const { name, url, answers, ready, why } of looks) {
    if (!answers) say('ProcessDown', `${name} (${url}) does not answer: ${why ?? 'no reason'}`);
    else if (!ready) say('ProcessDown', `${name} (${url}) is not ready: see its log`);
  }
  const nodes = nodesOf(of('node_expected'), of('node_last_heard_seconds'));
  for (const { node, silentSeconds } of nodes) {
    if (silentSeconds !== null && silentSeconds <= thresholds.NodeSilent.most) continue;
    say(
      'NodeSilent',
      `node ${node} is silent: ${silentSeconds === null ? 'not heard since its endpoint began' : `not heard for ${duration(silentSeconds)}`}`,
    );
  }
  beyond('RelayBehind', of('relay_age_seconds'));
  beyond('StreamFrozen', of('frozen_streams'));
  beyond('HomeParked', of('parked_homes'), 'service');
  // Every replica of provisioning knows all operations: they are not added up.
  const operations = largest(of('operations'), 'kind', 'state');
  beyond(
    'OperationNeedsAttention',
    operations.filter(({ labels }) => labels['state'] === ATTENTION),
    'kind',
  );
  beyond(
    'OperationStuck',
    largest(of('operation_oldest_seconds'), 'kind', 'state').filter(
      ({ labels }) => labels['state'] !== ATTENTION,
    ),
    'kind',
  );
  beyond('TimersLate', of('timers_late_seconds'), 'service');
  beyond('FollowerLag', of('follower_lag_events'), 'follower');
  beyond('FollowerWaits', of('follower_lag_seconds'), 'follower');
  beyond('PolicyLag', of('policy_lag_events'), 'policy');
  beyond('PolicyWaits', of('policy_lag_seconds'), 'policy');
  judgeRecent(of('recent'), say);

  const releases = new Map(
    of('build_info').map(({ at, labels }) => [at, labels['release'] ?? '?']),
  );
  const different = new Set(releases.values());
  if (different.size > thresholds.ReleaseSkew.most)
    say(
      'ReleaseSkew',
      `processes are of releases ${[...releases].map(([at, one]) => `${one} (${at})`).join(', ')}`,
    );
  skewed(of('event_version_written'), of('event_version_read'), say);

  clocksApart(of('clock_seconds'), say);

  const times = of('last_backup_timestamp_seconds').map(({ value }) => value * 1000);
  const backup = Math.max(0, typeof recorded === 'number' ? recorded : 0, ...times);
  const told = looks.some(({ samples }) => samples !== undefined);
  if (told && (now - backup) / 1000 > thresholds.BackupOld.most)
    say(
      'BackupOld',
      backup === 0
        ? typeof recorded === 'object'
          ? `${recorded.unreadable} is no record of a backup: make another one`
          : 'no backup of the log was ever recorded'
        : `the last backup of the log was made ${duration((now - backup) / 1000)} ago`,
    );

  const unclear = looks.flatMap(({ name, answers, samples, why }) =>
    answers && samples === undefined ? [`${name}: ${why ?? 'it says nothing'}`] : [],
  );
  const most = (name: string): number | null => {
    const series = of(name).map(({ value }) => value);
    return series.length === 0 ? null : Math.max(...series);
  };
  const rank = ({ alert }: Problem): number => (thresholds[alert].severity === 'page' ? 0 : 1);
  return {
    ok: problems.length === 0 && unclear.length === 0 && told,
    problems: problems.sort((a, b) => rank(a) - rank(b)),
    unclear: told || looks.length > 0 ? unclear : ['no process is known'],
    processes: looks.map((one) => rowOf(one, now)),
    nodes,
    values: Object.fromEntries(shown.map((name) => [name, most(name)])),
    lastBackup: backup === 0 ? null : new Date(backup).toISOString(),
  };
}

const ATTENTION = 'needs-attention';

const shown = [
  ...['follower_lag_events', 'policy_lag_events', 'relay_age_seconds', 'timers_late_seconds'],
  ...['parked_homes', 'frozen_streams', 'operations', 'operation_oldest_seconds'],
  'instructions_unanswered',
];

function is1({ value }: Series): boolean {
  return value === 1;
}

function nodesOf(expected: readonly Series[], heard: readonly Series[]): readonly NodeRow[] {
  const names = new Set(expected.filter(is1).map(({ labels }) => labels['node'] ?? '?'));
  const silence = ({ silentSeconds }: NodeRow): number => silentSeconds ?? Infinity;
  return [...names]
    .map((node) => {
      // Each endpoint knows its own connections: the node is where it was heard last.
      const own = heard.filter(({ labels }) => labels['node'] === node).map(({ value }) => value);
      return { node, silentSeconds: own.length === 0 ? null : Math.min(...own) };
    })
    .sort((a, b) => (silence(a) === silence(b) ? 0 : silence(b) - silence(a)));
}

/** Of series that several processes tell of the same thing, the largest. */
function largest(series: readonly Series[], ...labels: readonly string[]): readonly Series[] {
  const by = new Map<string, Series>();
  for (const one of series) {
    const key = labels.map((label) => one.labels[label] ?? '').join('\n');
    const other = by.get(key);
    if (other === undefined || other.value < one.value) by.set(key, one);
  }
  return [...by.values()];
}

/** Who writes a version that another does not read; who is to be rolled is the one that does not read it. */
function skewed(
  written: readonly Series[],
  read: readonly Series[],
  say: (alert: ThresholdName, what: string) => void,
): void {
  for (const one of largest(written, 'type')) {
    const type = one.labels['type'];
    for (const { at, value } of read.filter((reader) => reader.labels['type'] === type)) {
      if (value < one.value)
        say(
          'EventVersionSkew',
          `${type ?? '?'} is written in version ${one.value} by ${one.at}, and ${at} reads up to ${value}: roll ${at} to the newer release`,
        );
    }
  }
}

/** Asked at about the same time, all should say about the same. */
function clocksApart(
  clocks: readonly Series[],
  say: (alert: ThresholdName, what: string) => void,
): void {
  const sorted = [...clocks].sort((a, b) => a.value - b.value);
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (first === undefined || last === undefined) return;
  const apart = last.value - first.value;
  if (apart > thresholds.ClocksApart.most)
    say(
      'ClocksApart',
      `the clock of ${last.at} is ${duration(apart)} ahead of that of ${first.at}`,
    );
}

function rowOf({ name, url, answers, ready, samples = [] }: Look, now: number): Row {
  const find = (metric: string) => samples.find((sample) => sample.name === metric);
  const began = find('process_start_time_seconds')?.value;
  return {
    ...{ name, url, state: !answers ? 'no answer' : ready ? 'ready' : 'not ready' },
    release: find('bivouac_build_info')?.labels['release'] ?? null,
    uptimeSeconds: began === undefined ? null : Math.max(0, Math.round(now / 1000 - began)),
  };
}

function amount(value: number, unit: Threshold['unit']): string {
  if (unit === 'seconds') return duration(value);
  return `${value} ${value === 1 ? unit.replace(/(?<=ss)es$|s$/, '') : unit}`;
}

/** Seconds in the two largest units, e.g. `2 d 3 h`. */
export function duration(seconds: number): string {
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}
