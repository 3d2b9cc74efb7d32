/** What a benchmark prints, and how figures are taken from runs. */

/** One figure: ours and the limit in `unit`, and the median ratio of the pairs (1 is the limit). */
export interface Figure {
  readonly value: number;
  readonly unit: string;
  readonly limit: number;
  /** Always the larger the better: of times it is limit / ours. */
  readonly ratio: number;
}

/** Benchmarks that share their preparation. */
export interface BenchPart {
  /** The figures it answers. */
  readonly names: readonly string[];
  /** @param asked `events`: how long a long log is. */
  run(asked: { readonly events: number }): Promise<Record<string, Figure>>;
}

/** Fewest pairs a ratio is the median of. */
export const PAIRS = 7;

/**
 * Interleaved pairs of ours and the limit, after one that warms up; the order within a pair
 * alternates, so that what else the machine does falls on both.
 *
 * @param unit what both answer, the more the better.
 */
export async function pairsOf(
  unit: string,
  ours: () => Promise<number>,
  limit: () => Promise<number>,
  count: number = PAIRS,
): Promise<Figure> {
  await ours();
  await limit();
  const measured: { readonly ours: number; readonly limit: number }[] = [];
  for (let i = 0; i < count; i++) {
    if (i % 2 === 0) {
      const first = await ours();
      measured.push({ ours: first, limit: await limit() });
    } else {
      const first = await limit();
      measured.push({ ours: await ours(), limit: first });
    }
  }
  return {
    value: median(measured.map((pair) => pair.ours)),
    unit,
    limit: median(measured.map((pair) => pair.limit)),
    ratio: median(measured.map((pair) => pair.ours / pair.limit)),
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The value below which this part of the values lies, e.g. 0.99. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** How long the work takes, in seconds. */
export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

/** A line for whoever watches; figures alone go to stdout. */
export function progress(text: string): void {
  console.error(text);
}
