/** Leaky buckets: each take fills, time empties, what would overflow is refused. */

/** Buckets before the empty ones are forgotten. */
const SWEEP = 10_000;

interface Bucket {
  level: number;
  at: number;
  leak: number;
}

export interface Limit {
  /** Units the bucket holds. */
  readonly capacity: number;
  /** Units that leak out each second. */
  readonly refillPerSecond: number;
}

export interface Taken {
  readonly taken: boolean;
  /** Units that would fit now. */
  readonly remaining: number;
  /** 0 where it was taken; Infinity where it can never fit. */
  readonly retryAfterMilliseconds: number;
}

export class Buckets {
  readonly #buckets = new Map<string, Bucket>();
  #sweepAt = SWEEP;

  take(name: string, cost: number, limit: Limit, now: number): Taken {
    checkTake(cost, limit);
    const { capacity, refillPerSecond } = limit;
    const bucket = this.#buckets.get(name) ?? this.#make(name, now, refillPerSecond);
    bucket.level = levelAt(bucket, now);
    // Also where the clock jumped back: from there on it leaks again.
    bucket.at = now;
    bucket.leak = refillPerSecond;
    const taken = bucket.level + cost <= capacity;
    if (taken) bucket.level += cost;
    return takenOf(taken, bucket.level, cost, limit);
  }

  #make(name: string, now: number, leak: number): Bucket {
    if (this.#buckets.size >= this.#sweepAt) this.#sweep(now);
    const bucket: Bucket = { level: 0, at: now, leak };
    this.#buckets.set(name, bucket);
    return bucket;
  }

  /** An empty bucket is the same as none. */
  #sweep(now: number): void {
    for (const [name, bucket] of this.#buckets) {
      if (levelAt(bucket, now) === 0) this.#buckets.delete(name);
    }
    this.#sweepAt = Math.max(SWEEP, this.#buckets.size * 2);
  }
}

/** Throws a RangeError for what no bucket can take. */
export function checkTake(cost: number, { capacity, refillPerSecond }: Limit): void {
  if (![cost, capacity, refillPerSecond].every((n) => Number.isFinite(n) && n >= 0)) {
    throw new RangeError('cost, capacity and refill of a bucket are numbers from 0');
  }
}

/** What is answered where a bucket is at this level, after the cost was taken or refused. */
export function takenOf(taken: boolean, level: number, cost: number, limit: Limit): Taken {
  const remaining = Math.max(0, limit.capacity - level);
  return { taken, remaining, retryAfterMilliseconds: taken ? 0 : wait(level, cost, limit) };
}

function levelAt({ level, at, leak }: Bucket, now: number): number {
  return Math.max(0, level - (Math.max(0, now - at) * leak) / 1000);
}

function wait(level: number, cost: number, { capacity, refillPerSecond }: Limit): number {
  if (cost > capacity || refillPerSecond === 0) return Infinity;
  return Math.max(1, Math.ceil(((level + cost - capacity) * 1000) / refillPerSecond));
}
