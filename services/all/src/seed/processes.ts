/**
 * What an installation of processes needs for a first order, asked for over HTTP like by any caller:
 * the demo's provider, customer, plans, image and pool, a node, and the files that people and the
 * node's agent start with. Again is once: commands have fixed keys, and files that are there stay.
 */
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { parseDriverUrl } from '@bivouac/agent';
import { OpenNodeEnrolment, RegisterNode } from '@bivouac/containers/api';
import { PROVIDER_ID } from '@bivouac/events/accounts';
import type {
  CommandCall,
  CommandContract,
  CommandReply,
  ServiceCaller,
} from '@bivouac/events/language';
import { type Clock, RuntimeError, systemPrincipal } from '@bivouac/infra/runtime';
import type { z } from 'zod';

import { LOCATION } from '../nodes.ts';
import { demoKeys, isThere, writeSecret } from './demo-keys.ts';

/** Milliseconds that one service is waited for to hear of what another has made. */
const PATIENCE = 120_000;
const PAUSE = 250;
/** Seconds that the node's agent has to come with its token. */
const ENROLMENT_SECONDS = 604_800;
const GIB = 1024n ** 3n;

export interface SeedProcessesOptions {
  readonly caller: ServiceCaller;
  /** Where the files go. */
  readonly folder: string;
  /** What the node's agent will be started with; `fake:` is what the demo's node is. */
  readonly nodeUrl: string;
  readonly clock: Clock;
}

export interface SeededFiles {
  /** Of the provider's staff. */
  readonly keyFile: string;
  /** For the first start of the node's agent. */
  readonly tokenFile: string;
}

/** Seeds. Throws a RuntimeError that names the step that was refused, and why. */
export async function seedProcesses(options: SeedProcessesOptions): Promise<SeededFiles> {
  const { caller, folder, nodeUrl, clock } = options;
  const provider = { tenantId: PROVIDER_ID, homeId: PROVIDER_ID };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const command = patiently(caller, clock);
  // Nothing to wait for: what a service has not heard of yet it refuses, and is asked again.
  const settled = (): Promise<void> => Promise.resolve();
  const keyFile = await demoKeys({ command, settled }, provider, folder);

  const tokenFile = join(folder, 'node.token');
  if (await isThere(tokenFile)) return { keyFile, tokenFile };
  const call = (idempotencyKey: string): CommandCall => ({
    principal: systemPrincipal('system:seed', provider.tenantId, provider.homeId),
    idempotencyKey,
  });
  const { kind } = parseDriverUrl(nodeUrl);
  const node = await command(
    RegisterNode,
    {
      name: `${kind}-1`,
      location: LOCATION,
      engine: kind,
      features: [],
      // Until its agent says what it has.
      capacity: {
        ...{ containers: 4096, cpuMillis: 16_000 },
        memoryBytes: (64n * GIB).toString(),
        diskBytes: (1024n * GIB).toString(),
      },
    },
    call('seed:node'),
  );
  if (!node.ok) throw stopped('node', node.refusal.message);
  const { nodeId } = node.result;
  const enrolment = await command(
    OpenNodeEnrolment,
    { nodeId, validSeconds: ENROLMENT_SECONDS },
    // The token is in the first reply only, so each is a wish of its own.
    call(`seed:enrolment:${randomUUID()}`),
  );
  if (!enrolment.ok) throw stopped('enrolment', enrolment.refusal.message);
  const { token } = enrolment.result;
  if (token === null) throw stopped('enrolment', 'its token was shown to somebody else; again');
  await writeSecret(tokenFile, token);
  return { keyFile, tokenFile };
}

/**
 * Gives a command again while it is refused for what a service may only not have heard of yet. A
 * refusal leaves no trace, so that costs nothing.
 */
function patiently(caller: ServiceCaller, clock: Clock): ServiceCaller['command'] {
  return async <I extends z.ZodType, R extends z.ZodType>(
    contract: CommandContract<I, R>,
    input: z.input<I>,
    call: CommandCall,
  ): Promise<CommandReply<z.output<R>>> => {
    for (let waited = 0; ; waited += PAUSE) {
      const reply = await caller.command(contract, input, call);
      if (reply.ok || waited >= PATIENCE) return reply;
      const { code, retryable } = reply.refusal;
      if (retryable !== true && !/_UNKNOWN$|^NOT_FOUND$/.test(code)) return reply;
      await clock.sleep(PAUSE);
    }
  };
}

function stopped(step: string, why: string): RuntimeError {
  return new RuntimeError('misconfigured', `Seeding stopped at the ${step}: ${why}`);
}
