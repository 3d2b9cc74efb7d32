/** How busy the event loop is: a timer asks ten times a second, and how late it comes is what work waits. */
import type { Metrics } from '../runtime/index.ts';

/** Milliseconds between two looks. */
const EACH = 100;

/** Measures until it is told to stop. Keeps no process from ending. */
export function watchEventLoop(
  metrics: Metrics,
  stopwatch: () => number = () => performance.now(),
): () => void {
  const delay = metrics.histogram('eventloop_delay_seconds', {});
  let last = stopwatch();
  const timer = setInterval(() => {
    const now = stopwatch();
    delay.observe(Math.max(0, now - last - EACH) / 1000);
    last = now;
  }, EACH);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}
