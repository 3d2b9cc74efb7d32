/** What became of an instruction: what the fence remembers and repeats. */
import { NodePackageReportSchema } from '@bivouac/events/node';
import { z } from 'zod';

export const StepAnswerSchema = z.object({
  outcome: z.enum(['done', 'refused', 'failed']),
  message: z.string().max(2000).optional(),
  /** Of a package step: what it made of the packages. */
  packages: NodePackageReportSchema.optional(),
});
export type StepAnswer = z.output<typeof StepAnswerSchema>;
