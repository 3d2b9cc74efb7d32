/** What became of an instruction: what the fence remembers and repeats. */
import { z } from 'zod';

export const StepAnswerSchema = z.object({
  outcome: z.enum(['done', 'refused', 'failed']),
  message: z.string().max(2000).optional(),
});
export type StepAnswer = z.output<typeof StepAnswerSchema>;
