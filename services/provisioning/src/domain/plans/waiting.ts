/** Waiting for a day that billing knows; the operation can be cancelled meanwhile. */
import { look, type StepPlan } from './plan.ts';

/** Longer than any period: after that nobody is going to answer. */
const FORTY_DAYS = 40 * 86_400;

/** Done when the container's billing period has ended. */
export function periodEnd(containerId: string, after: readonly string[]): StepPlan {
  const step = look('period-end', 'billing.period-end', after, () => ({ containerId }));
  return { ...step, seconds: FORTY_DAYS, attempts: 1 };
}
