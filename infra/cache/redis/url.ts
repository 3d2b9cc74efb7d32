/** The `redis://` URL of CACHE_URL: which server, how it is trusted, who we are to it. */

/** How the server is trusted, and what it is shown. */
export interface RedisTls {
  /** Absent: the authorities that the machine trusts. */
  readonly caFile: string | undefined;
  /** Ours, where the server wants to see one. */
  readonly client: { readonly certFile: string; readonly keyFile: string } | undefined;
}

/** What a URL says. */
export interface RedisSettings {
  readonly host: string;
  readonly port: number;
  /** Number of the database. */
  readonly db: number;
  /** Begins every key and channel; the installation's own name follows it. */
  readonly prefix: string;
  /** Absent: no TLS. */
  readonly tls: RedisTls | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly passwordFile: string | undefined;
}

/** A URL that cannot be used, and every reason. */
export interface RedisUrlProblems {
  readonly problems: readonly string[];
}

const EXAMPLE = 'rediss://host:6379/0?ca=/path/ca.pem&user=…&passwordFile=…';
const PARAMETERS = ['ca', 'cert', 'key', 'user', 'passwordFile', 'prefix'];

export function isRedisUrl(url: string): boolean {
  return /^rediss?:/.test(url);
}

/** Reads a URL; pure, it opens no file. */
export function parseRedisUrl(text: string): RedisSettings | RedisUrlProblems {
  if (!/^rediss?:\/\/[^/?#]/.test(text) || !URL.canParse(text)) {
    return { problems: [`expected a URL like ${EXAMPLE}`] };
  }
  const url = new URL(text);
  const problems: string[] = [];
  const secure = url.protocol === 'rediss:';
  const db = url.pathname.replace(/^\//, '');
  if (url.hostname === '') problems.push('it names no host');
  if (url.hash !== '')
    problems.push('what follows # means nothing in it; a # of a password is %23');
  if (!/^\d{0,4}$/.test(db)) {
    problems.push(`/${db} is not the number of a database, e.g. /0`);
  }
  for (const name of new Set(url.searchParams.keys())) {
    if (!PARAMETERS.includes(name)) {
      problems.push(`${name} is not known; there are ${PARAMETERS.join(', ')}`);
    } else if (url.searchParams.getAll(name).length > 1) {
      problems.push(`${name} is given twice`);
    } else if (url.searchParams.get(name) === '') {
      problems.push(`${name} is empty`);
    }
  }
  const given = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
  const caFile = given('ca');
  const [certFile, keyFile] = [given('cert'), given('key')];
  for (const [name, file] of Object.entries({ ca: caFile, cert: certFile, key: keyFile })) {
    if (!secure && file !== undefined) problems.push(`${name} is given, but TLS is rediss://`);
  }
  if ((certFile === undefined) !== (keyFile === undefined)) {
    problems.push('cert and key are given together: our certificate, and its key');
  }
  const prefix = given('prefix') ?? 'bivouac';
  if (!/^[\w.-]{1,64}$/.test(prefix)) {
    problems.push('prefix: expected up to 64 letters, digits, dots and dashes');
  }
  const [inUrl, password] = [decoded(url.username), decoded(url.password)];
  if (inUrl === undefined || password === undefined) {
    problems.push('user or password before the @ are not percent-encoded');
  }
  const passwordFile = given('passwordFile');
  if (inUrl !== undefined && inUrl !== '' && given('user') !== undefined) {
    problems.push('the user is given twice, before the @ and by user=');
  }
  if (passwordFile !== undefined && password !== undefined && password !== '') {
    problems.push('the password is given twice, before the @ and by passwordFile=');
  }
  const username = given('user') ?? (inUrl === '' ? undefined : inUrl);
  if (username !== undefined && passwordFile === undefined && password === '') {
    problems.push('a user is given without a password; name its file with passwordFile=');
  }
  if (problems.length > 0) return { problems };
  const client =
    certFile === undefined || keyFile === undefined ? undefined : { certFile, keyFile };
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 6379 : Number(url.port),
    db: Number(db),
    prefix,
    tls: secure ? { caFile, client } : undefined,
    username,
    password: password === '' ? undefined : password,
    passwordFile,
  };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
