/** What processes tell of one metric. */

/** A value and which process told it. */
export interface Series {
  readonly at: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
