/** Fields that several commands of accounts take. */
import { z } from 'zod';

export const reason = z.string().trim().min(1).max(500);
export const emailAddress = z.email({ error: 'expected an e-mail address' }).max(254);
export const personName = z.string().trim().min(1).max(120);
