/** What is measured of GraphQL requests: how each ended, how long it took, how many subscriptions are open. */
import type { Metrics } from '@bivouac/infra/runtime';
import { GraphQLError } from 'graphql';

/** Codes of errors that are ours, or of what we need: the caller can do nothing about them. */
const ours = new Set(['INTERNAL', 'UNAVAILABLE', 'OUTCOME_UNKNOWN']);

export interface AnswerMeasures {
  /** A request was read; what it answers is told of its end, and hands it on. */
  begin(): <A extends object>(answer: A) => A;
}

export function answerMeasures(metrics: Metrics, open: () => number): AnswerMeasures {
  const ended = (outcome: string) => metrics.counter('graphql_requests_total', { outcome });
  const done = ended('done');
  const refused = ended('refused');
  const failed = ended('failed');
  const seconds = metrics.histogram('graphql_seconds', {});
  const subscriptions = metrics.gauge('subscriptions_open', {});
  metrics.onScrape('subscriptions', () => {
    subscriptions.set(open());
  });
  return {
    begin: () => {
      const took = seconds.start();
      return (answer) => {
        took();
        const errors = errorsOf(answer);
        if (errors.length === 0) done.add();
        else if (errors.some(({ extensions }) => ours.has(String(extensions['code']))))
          failed.add();
        else refused.add();
        return answer;
      };
    },
  };
}

/** A subscription has none of its own: each of its answers has. */
function errorsOf(answer: { readonly errors?: unknown }): readonly GraphQLError[] {
  const { errors } = answer;
  return Array.isArray(errors) ? errors.filter((error) => error instanceof GraphQLError) : [];
}
