/**
 * What a node's URL says about its engine (`NODE_URL`). It is read whole before anything is opened:
 * every problem in it is named at once.
 */
import { z } from 'zod';
import type { FakeCapacity } from './adapters/fake/capacity.ts';
import { faultKinds, type FaultRule } from './adapters/fake/faults.ts';
import { driverSteps, type DriverStep } from './driver-steps.ts';

/** What a URL says. */
export type DriverConfig =
  | {
      readonly kind: 'fake';
      /** How many nodes the URL stands for; each is opened by itself. */
      readonly nodes: number;
      readonly seed: number;
      /** Milliseconds by step. */
      readonly slow: readonly PerStep[];
      readonly faults: readonly FaultRule[];
      readonly capacity: FakeCapacity;
    }
  | {
      readonly kind: 'lxd';
      readonly nodes: 1;
      readonly endpoint:
        | { readonly kind: 'unix'; readonly socketPath: string }
        | {
            readonly kind: 'tls';
            readonly host: string;
            readonly port: number;
            /** Paths of PEM files: the agent's certificate and key, the server's authority. */
            readonly cert: string;
            readonly key: string;
            readonly ca: string;
          };
      readonly pool?: string | undefined;
      readonly parent?: string | undefined;
    };

/** A figure for one step, or for any that has none of its own. */
export interface PerStep {
  readonly step: DriverStep | 'any';
  readonly value: number;
}

/** Where LXD listens when nobody said otherwise. */
const DEFAULT_SOCKET = '/var/lib/lxd/unix.socket';

const number = (max: number, what: string): z.ZodType<number, string> =>
  z
    .string()
    .regex(/^\d{1,9}$/, { error: `expected ${what}` })
    .transform(Number)
    .refine((value) => value <= max, { error: `expected ${what}` });

const bytes = z
  .string()
  .regex(/^\d{1,12}(KiB|MiB|GiB|TiB)?$/, { error: 'expected a size, e.g. 64GiB' })
  .transform((text) => {
    const power = ['', 'KiB', 'MiB', 'GiB', 'TiB'].indexOf(text.replace(/\d/g, ''));
    return BigInt(text.replace(/\D/g, '')) << BigInt(10 * power);
  });

const Step = z.enum([...driverSteps, 'any']);

/** `0.1` for any step, or `create:0.1,start:0.2`. */
function perStep(value: RegExp, what: string): z.ZodType<readonly PerStep[], string> {
  return z.string().transform((text, context) =>
    text.split(',').flatMap((part): PerStep[] => {
      const [first = '', second] = part.split(':', 2);
      const step = Step.safeParse(second === undefined ? 'any' : first);
      const figure = second ?? first;
      if (step.success && value.test(figure)) return [{ step: step.data, value: Number(figure) }];
      const known = step.success ? what : `a step of ${driverSteps.join(', ')}`;
      context.addIssue(`"${part}": expected ${known}, as in create:${what.replace(/.* /, '')}`);
      return [];
    }),
  );
}

const probability = perStep(/^(0(\.\d+)?|1(\.0+)?)$/, 'a probability from 0 to 1, e.g. 0.1');

const Fake = z.strictObject({
  nodes: number(1000, 'a number of nodes up to 1000')
    .refine((n) => n > 0, {
      error: 'expected at least one node',
    })
    .default(1),
  seed: number(999_999_999, 'a whole number').default(1),
  slow: perStep(/^\d{1,6}$/, 'milliseconds, e.g. 50').default([]),
  containers: number(999_999_999, 'a number of containers').optional(),
  memory: bytes.optional(),
  disk: bytes.optional(),
  fail: probability.default([]),
  refuse: probability.default([]),
  lose: probability.default([]),
  'crash-before': probability.default([]),
  'crash-after': probability.default([]),
});

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, { error: 'expected a name' })
  .optional();
const Unix = z.strictObject({ pool: name, parent: name });
const file = z.string({ error: 'expected the path of a PEM file' }).min(1);
const Tls = z.strictObject({ pool: name, parent: name, cert: file, key: file, ca: file });

/** @throws {DriverUrlError} naming every problem */
export function parseDriverUrl(text: string): DriverConfig {
  if (!URL.canParse(text)) throw new DriverUrlError(text, ['it is not a URL']);
  const url = new URL(text);
  const problems: string[] = [];
  const given: Record<string, string> = {};
  for (const [key, value] of url.searchParams) {
    if (key in given) problems.push(`${key}: it is given twice`);
    given[key] = value;
  }
  if (url.hash !== '' || url.username !== '' || url.password !== '')
    problems.push('it has parts that mean nothing here: user, password or fragment');

  /** Reads the parameters; problems found so far and there are thrown together. */
  function read<T>(schema: z.ZodType<T>): T {
    const result = schema.safeParse(given);
    for (const issue of result.error?.issues ?? [])
      problems.push(
        issue.code === 'unrecognized_keys'
          ? `${issue.keys.join(', ')}: there is no such option`
          : `${issue.path.join('.')}: ${issue.message}`,
      );
    if (!result.success || problems.length > 0) throw new DriverUrlError(text, problems);
    return result.data;
  }

  switch (url.protocol) {
    case 'fake:': {
      if (url.host !== '' || url.pathname !== '') problems.push('fake: takes no host and no path');
      const { nodes, seed, slow, containers, memory, disk, ...faults } = read(Fake);
      return {
        kind: 'fake',
        nodes,
        seed,
        slow,
        faults: faultKinds.flatMap((kind) =>
          faults[kind].map(({ step, value }) => ({ kind, step, probability: value })),
        ),
        capacity: { containers, memoryBytes: memory, diskBytes: disk },
      };
    }
    case 'lxd+unix:': {
      if (url.host !== '') problems.push('lxd+unix: takes a path and no host (three slashes)');
      const path = decoded(url.pathname);
      if (path === undefined) problems.push('its path is not percent-encoded UTF-8');
      const rest = read(Unix);
      const socketPath = path === undefined || path === '' ? DEFAULT_SOCKET : path;
      return { kind: 'lxd', nodes: 1, endpoint: { kind: 'unix', socketPath }, ...rest };
    }
    case 'https:': {
      if (url.pathname !== '/') problems.push('https: takes no path');
      const { cert, key, ca, ...rest } = read(Tls);
      const [host, port] = [url.hostname.replace(/^\[|\]$/g, ''), Number(url.port || '8443')];
      return {
        kind: 'lxd',
        nodes: 1,
        endpoint: { kind: 'tls', host, port, cert, key, ca },
        ...rest,
      };
    }
    default:
      throw new DriverUrlError(text, [
        ...problems,
        `${url.protocol} is no engine; there are fake:, lxd+unix: and https:`,
      ]);
  }
}

/** The URL of a node's engine cannot be used; `problems` has one sentence for each thing wrong. */
export class DriverUrlError extends Error {
  readonly problems: readonly string[];
  constructor(url: string, problems: readonly string[]) {
    super(`The node URL ${JSON.stringify(url)} cannot be used:\n  ${problems.join('\n  ')}`);
    this.name = 'DriverUrlError';
    this.problems = problems;
  }
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
