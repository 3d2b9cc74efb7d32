/**
 * The `kafka://` URL of BUS_URL: which brokers, how they are trusted, who we are to them. Secrets are
 * files it names, never in the URL itself: URLs are printed, logged and listed with processes.
 */

/** What a URL says. */
export interface KafkaSettings {
  /** `host:port`; any of them leads to the others. */
  readonly brokers: readonly string[];
  /** Absent: no TLS. */
  readonly tls: { readonly caFile: string | undefined } | undefined;
  readonly sasl:
    | {
        readonly mechanism: 'scram-sha-256' | 'scram-sha-512';
        readonly username: string;
        readonly passwordFile: string;
      }
    | undefined;
  /** Copies of each partition that a new topic gets; undefined: 3, or as many as there are brokers. */
  readonly replication: number | undefined;
}

/** A URL that cannot be used, and every reason. */
export interface KafkaUrlProblems {
  readonly problems: readonly string[];
}

const EXAMPLE =
  'kafka://host:9092,host:9092?ca=/path/ca.pem&sasl=scram-sha-512&user=…&passwordFile=…';
const PARAMETERS = ['tls', 'ca', 'sasl', 'user', 'passwordFile', 'replication'];

/** Reads a URL; pure, it opens no file. */
export function parseKafkaUrl(url: string): KafkaSettings | KafkaUrlProblems {
  const match = /^kafka:\/\/([^/?#]*)\/?(?:\?([^#]*))?$/.exec(url);
  if (match === null) return { problems: [`expected a URL like ${EXAMPLE}`] };
  const problems: string[] = [];
  const brokers = (match[1] ?? '').split(',');
  for (const broker of brokers) {
    if (broker.includes('@')) {
      problems.push('a password must not stand in the URL; use user= and passwordFile=');
    } else if (
      !/^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):\d{1,5}$/.test(broker) ||
      portOf(broker) > 65_535
    ) {
      problems.push(`${broker === '' ? 'a broker' : broker} is not host:port`);
    }
  }
  const parameters = new URLSearchParams(match[2] ?? '');
  for (const name of new Set(parameters.keys())) {
    if (!PARAMETERS.includes(name)) {
      problems.push(`${name} is not known; there are ${PARAMETERS.join(', ')}`);
    } else if (parameters.getAll(name).length > 1) {
      problems.push(`${name} is given twice`);
    }
  }
  const caFile = parameters.get('ca') ?? undefined;
  const tls = parameters.get('tls') ?? (caFile === undefined ? 'off' : 'on');
  if (tls !== 'on' && tls !== 'off') problems.push(`tls is ${tls}: expected on or off`);
  if (tls === 'off' && caFile !== undefined) problems.push('ca is given, but tls=off');
  if (caFile === '') problems.push('ca names no file');
  const sasl = saslOf(parameters, problems);
  if (sasl !== undefined && tls !== 'on') {
    problems.push('sasl needs tls=on: without it anybody on the way can act in your name');
  }
  const replication = parameters.get('replication') ?? undefined;
  if (replication !== undefined && !/^[1-9]\d?$/.test(replication)) {
    problems.push(`replication is ${replication}: expected a number from 1 to 99`);
  }
  if (problems.length > 0) return { problems };
  return {
    brokers,
    tls: tls === 'on' ? { caFile } : undefined,
    sasl,
    replication: replication === undefined ? undefined : Number(replication),
  };
}

function saslOf(parameters: URLSearchParams, problems: string[]): KafkaSettings['sasl'] {
  const mechanism = parameters.get('sasl');
  const username = parameters.get('user') ?? '';
  const passwordFile = parameters.get('passwordFile') ?? '';
  if (mechanism === null) {
    if (username !== '' || passwordFile !== '') {
      problems.push('user or passwordFile is given without sasl=scram-sha-512');
    }
    return undefined;
  }
  if (mechanism !== 'scram-sha-256' && mechanism !== 'scram-sha-512') {
    problems.push(`sasl is ${mechanism}: expected scram-sha-256 or scram-sha-512`);
    return undefined;
  }
  if (username === '' || passwordFile === '') {
    problems.push('sasl needs user= and passwordFile=');
    return undefined;
  }
  return { mechanism, username, passwordFile };
}

function portOf(broker: string): number {
  return Number(broker.slice(broker.lastIndexOf(':') + 1));
}
