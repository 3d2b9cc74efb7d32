/** The settings of agents: where an endpoint lets them connect, and where an agent connects to. */
import { z } from 'zod';

import { ListenSchema } from './listen-address.ts';

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

const EndpointSchema = z.string().refine(
  (text) => {
    if (!URL.canParse(text)) return false;
    const { protocol, hostname } = new URL(text);
    // The proof of identity is useless to who hears it; what follows is not.
    const here = LOOPBACK.has(hostname.replaceAll(/[[\]]/g, ''));
    return protocol === 'wss:' || (protocol === 'ws:' && here);
  },
  { error: 'expected a URL like wss://nodes.example.com:4100/agents (ws: only to this machine)' },
);

const file = z.string().min(1).optional();

export const agentSettings = {
  /** Where agents of other processes may connect: a port of 127.0.0.1, or an address and a port. */
  AGENT_LISTEN: ListenSchema.optional(),
  /** PEM files of what agents are shown by TLS; needed wherever other machines can connect. */
  AGENT_TLS_CERT: file,
  AGENT_TLS_KEY: file,
  /** For an agent as its own process: the endpoint it connects to, `wss://…/agents`. */
  AGENT_ENDPOINT: EndpointSchema.optional(),
  /** PEM file of the authorities to trust for that endpoint instead of the system's. */
  AGENT_CA: file,
  /** The agent's folder: its key, its fence, its samples of usage. */
  AGENT_DIR: z.string().min(1).default('./agent'),
  /** File with an enrolment token: at the first start, and to get another key. */
  AGENT_TOKEN_FILE: file,
  /** How often an agent reads the counters of its containers, in seconds. */
  USAGE_SAMPLE_SECONDS: z.coerce
    .number({ error: 'expected seconds from 10 to 3600' })
    .int()
    .min(10)
    .max(3600)
    .default(300),
} as const;

/** What of the settings does not fit together. */
export function agentProblems(settings: {
  readonly AGENT_LISTEN?: { readonly host: string } | undefined;
  readonly AGENT_TLS_CERT?: string | undefined;
  readonly AGENT_TLS_KEY?: string | undefined;
}): readonly string[] {
  const { AGENT_LISTEN, AGENT_TLS_CERT, AGENT_TLS_KEY } = settings;
  if ((AGENT_TLS_CERT === undefined) !== (AGENT_TLS_KEY === undefined))
    return ['AGENT_TLS_CERT and AGENT_TLS_KEY: expected both or neither'];
  if (AGENT_LISTEN === undefined || LOOPBACK.has(AGENT_LISTEN.host)) return [];
  if (AGENT_TLS_CERT !== undefined) return [];
  return [
    'AGENT_LISTEN: other machines can connect there, so set AGENT_TLS_CERT and AGENT_TLS_KEY, or listen on 127.0.0.1',
  ];
}
