/** Tracing, once it was started. */
export interface Tracing {
  /**
   * Makes no more spans and sends what is left, at most for so many milliseconds: a collector that does
   * not answer keeps nobody. Safe to call twice.
   */
  stop(deadlineMilliseconds: number): Promise<void>;
}
