/** What happened within the last minutes, as processes count it themselves (`bivouac_recent`), judged as alerts judge it. */
import {
  type MetricName,
  RECENT_DELAYS,
  type ThresholdName,
  thresholds,
} from '@bivouac/infra/runtime';

import type { Series } from './series.ts';

/** A hundredth of the delays may be beyond the limit: the alert goes by the 99th percentile. */
const LATE_SHARE = 0.01;
/** That many at least: of a process that has just begun, a hundredth is one. */
const LATE_LEAST = 10;

/**
 * @param recent every series of the metric, of all processes
 * @param say takes each alert with what is wrong, where and how much
 */
export function judgeRecent(
  recent: readonly Series[],
  say: (alert: ThresholdName, what: string) => void,
): void {
  const of = (counter: MetricName): readonly Series[] =>
    recent.filter(({ labels }) => labels['counter'] === counter);
  const each = (
    alert: ThresholdName,
    counter: MetricName,
    where: (series: string, at: string) => string,
  ): void => {
    const { says, most, within } = thresholds[alert];
    for (const { at, labels, value } of of(counter)) {
      if (value <= most) continue;
      say(alert, `${says}: ${where(labels['series'] ?? '?', at)}, ${times(value, within)}`);
    }
  };
  const both = (series: string, at: string): string => `${series} at ${at}`;

  each('UnknownOutcomes', 'unknown_outcomes_total', both);
  each('BusGaps', 'gaps_repaired_total', both);
  each('CacheAway', 'cache_outages_total', (_, at) => at);
  each('NotMeasured', 'looks_failed_total', both);

  const { Contention, EventLoopDelay } = thresholds;
  const gaveUp = of('contention_total');
  const share = sum(gaveUp) / sum(of('appends_total'));
  if (share > Contention.most) {
    const where = gaveUp
      .filter(({ value }) => value > 0)
      .map((one) => `${one.labels['series'] ?? '?'} at ${one.at}`);
    say(
      'Contention',
      `${Contention.says}: ${where.join(', ')}, ${percent(share)} of appends within ${minutes(Contention.within)}`,
    );
  }

  const delays = of('eventloop_delay_seconds');
  const measured = delays.filter(({ labels }) => labels['series'] === RECENT_DELAYS.all);
  for (const { at, value: all } of measured) {
    const late = sum(
      delays.filter((one) => one.at === at && one.labels['series'] === RECENT_DELAYS.beyond),
    );
    if (late < LATE_LEAST || late <= all * LATE_SHARE) continue;
    say(
      'EventLoopDelay',
      `${EventLoopDelay.says}: ${at}, ${percent(late / all)} of its timers came later than ${EventLoopDelay.most} s within ${minutes(EventLoopDelay.within)}`,
    );
  }
}

function sum(series: readonly Series[]): number {
  return series.reduce((total, { value }) => total + value, 0);
}

function times(count: number, within: number): string {
  return `${count === 1 ? 'once' : `${count} times`} within ${minutes(within)}`;
}

function minutes(seconds: number): string {
  return `${seconds / 60} min`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
