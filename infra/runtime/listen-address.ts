/** An address to listen on, as settings have it. */
import { z } from 'zod';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `4100`, `127.0.0.1:4100`, `[::1]:4100`, `nodes.example.com:4100`; a port alone is of this machine only. */
export const ListenSchema = z.string().transform((text, context): ListenAddress => {
  const [, six, host, port] =
    /^(?:(?:\[([0-9a-f:.]+)\]|([^:\s[\]]+)):)?(\d{1,5})$/i.exec(text) ?? [];
  const number = Number(port);
  if (port === undefined || number > 65_535) {
    context.addIssue('expected a port, or an address and a port like 127.0.0.1:4100');
    return z.NEVER;
  }
  return { host: six ?? host ?? '127.0.0.1', port: number };
});
