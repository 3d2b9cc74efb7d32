/** Which addresses a host name stands for: each is a replica. */
import { lookup } from 'node:dns/promises';

/** The addresses of a host name; rejects where it has none. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

/** As the system has it, files and DNS alike. */
export const systemResolve: Resolve = async (hostname) =>
  (await lookup(hostname, { all: true })).map(({ address }) => address);
