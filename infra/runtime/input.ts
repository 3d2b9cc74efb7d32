/** Turns a schema's complaint about an input into one refusal that names the field and the remedy. */
import { refuse, type Refusal } from '@bivouac/events/language';
import type { z } from 'zod';

/** INVALID_INPUT: the first problem as message and path, all of them in `details.problems`. */
export function invalidInput(error: z.ZodError): Refusal {
  const problems = error.issues.map((issue) => ({
    path: issue.path.map(String),
    message: issue.message,
  }));
  const first = problems[0] ?? { path: [], message: 'the input does not fit' };
  const where = first.path.length === 0 ? 'The input' : `The field ${first.path.join('.')}`;
  return refuse(
    'INVALID_INPUT',
    `${where} is not accepted: ${first.message}. Correct it and send it again.`,
    {
      path: first.path,
      details: { problems },
    },
  ).refusal;
}
