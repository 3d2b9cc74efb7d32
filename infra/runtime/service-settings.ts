/** The settings of calls between processes: where the services are, who calls, and whom a service answers. */
import { z } from 'zod';

/** Where each service is, by name; or everything that is wrong with the text. */
export type ServiceUrls =
  | { readonly urls: ReadonlyMap<string, readonly string[]> }
  | { readonly problems: readonly string[] };

const EXAMPLE =
  'accounts=http://10.0.0.5:4201|http://10.0.0.6:4201,containers=http://10.0.0.7:4202';

/** `<service>=<URL>|<URL>,…`: the base URLs of the replicas of each service. */
export function parseServiceUrls(text: string): ServiceUrls {
  const urls = new Map<string, readonly string[]>();
  const problems: string[] = [];
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue;
    const [, name, list] = /^([a-z][a-z0-9-]*)=(.*)$/.exec(entry) ?? [];
    if (name === undefined || list === undefined) {
      problems.push(`expected entries like ${EXAMPLE}, not ${JSON.stringify(entry)}`);
      continue;
    }
    if (urls.has(name)) problems.push(`${name} is there twice: separate its replicas by |`);
    const replicas = list.split('|').map((part) => part.trim());
    const origins = replicas.flatMap((url) => originOf(url) ?? []);
    for (const url of replicas) {
      if (originOf(url) === undefined)
        problems.push(
          `${name}: expected a URL like http://10.0.0.5:4201, without a path, not ${JSON.stringify(url)}`,
        );
    }
    urls.set(name, [...new Set(origins)]);
  }
  return problems.length > 0 ? { problems } : { urls };
}

/** Scheme, host and port, if the URL says no more than that. */
function originOf(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, origin, pathname, search, hash, username, password } = new URL(text);
  const bare = pathname === '/' && search + hash + username + password === '';
  return bare && (protocol === 'http:' || protocol === 'https:') ? origin : undefined;
}

const ServiceUrlsSchema = z.string().transform((text, context) => {
  const parsed = parseServiceUrls(text);
  if ('urls' in parsed) return parsed.urls;
  for (const message of parsed.problems) context.addIssue(message);
  return z.NEVER;
});

const file = z.string().min(1).optional();

export const serviceSettings = {
  /** For what calls services: the base URLs of their replicas, `<service>=<URL>|<URL>,…`. */
  SERVICE_URLS: ServiceUrlsSchema.default(new Map()),
  /** PEM file of the authorities to trust for `https:` URLs of services instead of the system's. */
  SERVICES_CA: file,
  /** For what calls services: the file of its identity. */
  IDENTITY_FILE: file,
  /** For a service: the file of the callers it answers. */
  TRUSTED_CALLERS_FILE: file,
} as const;
