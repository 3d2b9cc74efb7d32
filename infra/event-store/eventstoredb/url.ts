/** The URL of an EventStoreDB: what the client understands of it, checked before the client is loaded. */

/** Whoever asks the server: needed wherever it asks who we are. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** What the adapter itself takes from the URL; the rest is the client's. */
export interface EventStoreDbUrl {
  readonly url: string;
  /** Absent where the server asks nobody: `tls=false`. */
  readonly credentials: Credentials | undefined;
}

const FORM =
  /^esdb(?:\+discover)?:\/\/(?:(?<user>[^:/@?]+):(?<password>[^@/?]+)@)?(?<hosts>[^/?@]+)\/?(?:\?(?<query>.*))?$/;
const HOST = /^(?:[A-Za-z0-9._-]+)(?::\d{1,5})?$/;
/** What the adapter relies on being as it is; see the notes in `store.ts`. */
const OURS = new Map([
  ['throwonappendfailure', 'conflicts are told apart by the error'],
  ['nodepreference', 'the leader is asked always'],
  ['defaultdeadline', 'each call has its own'],
]);

/** Whether a URL is meant for this adapter. */
export function isEventStoreDbUrl(text: string): boolean {
  return /^esdb(\+discover)?:/.test(text);
}

/** What a URL says, or what is wrong with it and what to write instead. Never repeats a password. */
export function parseEventStoreDbUrl(
  text: string,
): EventStoreDbUrl | { readonly problems: readonly string[] } {
  const groups = FORM.exec(text)?.groups;
  const hosts = groups?.['hosts']?.split(',') ?? [];
  if (groups === undefined || !hosts.every((host) => HOST.test(host))) {
    return {
      problems: [
        'expected esdb://user:password@host:2113[,host:2113…], or esdb+discover://…@name:2113 to find the ' +
          'cluster by DNS; a user or password with other characters is percent-encoded',
      ],
    };
  }
  const query = new Map(
    [...new URLSearchParams(groups['query'] ?? '')].map(([key, value]) => [
      key.toLowerCase().replaceAll(/[_-]/g, ''),
      value,
    ]),
  );
  const problems = [...OURS].flatMap(([key, why]) =>
    query.has(key) ? [`leave ${key} out: ${why}`] : [],
  );
  const tls = query.get('tls')?.toLowerCase() !== 'false';
  const { user, password } = groups;
  if (tls && (user === undefined || password === undefined)) {
    problems.push(
      'no user and password: write esdb://user:password@host:2113, or add ?tls=false for a server without TLS, ' +
        'which asks nobody',
    );
  }
  if (problems.length > 0) return { problems };
  const named = user !== undefined && password !== undefined;
  return {
    url: text,
    credentials: named
      ? { username: decodeURIComponent(user), password: decodeURIComponent(password) }
      : undefined,
  };
}
