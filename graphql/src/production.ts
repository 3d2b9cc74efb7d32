/**
 * Imported before everything else: GraphQL's own checks for developers, which cost a third of every
 * answer, are off unless the environment says otherwise. They are chosen when the library is loaded.
 */
import { env } from 'node:process';

env['NODE_ENV'] ??= 'production';
