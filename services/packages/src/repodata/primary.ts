/**
 * `primary.xml` as createrepo_c writes it, parsed as it streams by: one package at a time. What is in
 * it is checked here, since it ends up in instructions to nodes.
 */
import { type SaxesTagPlain, SaxesParser } from 'saxes';

import { capabilityText } from '../domain/capability.ts';
import type { Sense } from '../domain/evr.ts';
import { type RepositoryPackage, RepositoryPackageSchema } from '../domain/repository-package.ts';
import { RepodataError } from './repodata-error.ts';

type List = 'provides' | 'requires' | 'conflicts' | 'obsoletes';

/** Elements whose entries are kept; weak dependencies are not. */
const LISTS: ReadonlyMap<string, List> = new Map([
  ['rpm:provides', 'provides'],
  ['rpm:requires', 'requires'],
  ['rpm:conflicts', 'conflicts'],
  ['rpm:obsoletes', 'obsoletes'],
]);

const SENSES: ReadonlyMap<string, Sense> = new Map([
  ['LT', '<'],
  ['LE', '<='],
  ['EQ', '='],
  ['GE', '>='],
  ['GT', '>'],
]);

const KEPT_SUMMARY = 300;

/** A package while its element is being read: what was said so far. */
class Draft {
  readonly fields: Record<string, unknown> = {};
  readonly lists: Record<List, string[]> = {
    provides: [],
    requires: [],
    conflicts: [],
    obsoletes: [],
  };
  readonly files: string[] = [];
  checksumType = '';
}

export class PrimaryParser {
  readonly #file: string;
  readonly #take: (found: RepositoryPackage) => void;
  readonly #parser = new SaxesParser();
  #stated: number | undefined;
  #seen = 0;
  #draft: Draft | undefined;
  #list: List | undefined;
  #text = '';

  /** @param take gets each package; source packages are left out. */
  constructor(file: string, take: (found: RepositoryPackage) => void) {
    this.#file = file;
    this.#take = take;
    this.#parser.on('opentag', (tag) => {
      this.#open(tag);
    });
    this.#parser.on('text', (text) => {
      this.#text += text;
    });
    this.#parser.on('closetag', ({ name }) => {
      this.#close(name);
    });
    this.#parser.on('error', (cause) => {
      throw this.#corrupt(`it is no XML (${cause.message})`, cause);
    });
  }

  /** @throws {RepodataError} naming the file and what is wrong with it. */
  write(text: string): void {
    this.#parser.write(text);
  }

  end(): void {
    this.#parser.close();
    if (this.#stated === undefined) throw this.#corrupt('it is no list of packages');
    if (this.#stated !== this.#seen)
      throw this.#corrupt(`it says ${this.#stated} packages and has ${this.#seen}`);
  }

  #open({ name, attributes }: SaxesTagPlain): void {
    this.#text = '';
    if (name === 'metadata') this.#stated = Number(attributes['packages']);
    if (name === 'package') this.#draft = new Draft();
    const draft = this.#draft;
    if (draft === undefined) return;
    const list = LISTS.get(name);
    if (list !== undefined) this.#list = list;
    else if (name === 'rpm:entry') this.#entry(draft, attributes);
    else if (name === 'version') {
      draft.fields['epoch'] = Number(attributes['epoch'] ?? '0');
      draft.fields['version'] = attributes['ver'];
      draft.fields['release'] = attributes['rel'];
    } else if (name === 'checksum') draft.checksumType = attributes['type'] ?? '';
    else if (name === 'size') {
      draft.fields['size'] = Number(attributes['package']);
      draft.fields['installedSize'] = Number(attributes['installed']);
    } else if (name === 'location') {
      if (attributes['xml:base'] !== undefined)
        throw this.#unsupported('packages lie elsewhere (xml:base)', 'keep them below the base');
      draft.fields['location'] = attributes['href'];
    }
  }

  #entry(draft: Draft, attributes: Readonly<Record<string, string>>): void {
    const { name, flags, epoch, ver, rel } = attributes;
    if (this.#list === undefined || name === undefined) return;
    const sense = flags === undefined ? undefined : SENSES.get(flags);
    const release = rel === undefined ? '' : `-${rel}`;
    const evr = ver === undefined ? undefined : `${epoch ?? '0'}:${ver}${release}`;
    draft.lists[this.#list].push(capabilityText(name, sense, evr));
  }

  #close(name: string): void {
    const draft = this.#draft;
    if (draft === undefined) return;
    const text = this.#text.trim();
    this.#text = '';
    if (name === 'name' || name === 'arch' || name === 'checksum') draft.fields[name] = text;
    else if (name === 'summary') {
      if (text !== '') draft.fields['summary'] = text.slice(0, KEPT_SUMMARY);
    } else if (name === 'file') draft.files.push(text);
    else if (LISTS.has(name)) this.#list = undefined;
    else if (name === 'package') this.#finish(draft);
  }

  #finish({ fields, lists, files, checksumType }: Draft): void {
    this.#draft = undefined;
    this.#seen += 1;
    if (fields['arch'] === 'src' || fields['arch'] === 'nosrc') return;
    const what = String(fields['name']);
    if (checksumType !== 'sha256')
      throw this.#unsupported(
        `the checksum of ${what} is ${checksumType}`,
        'make the metadata with createrepo_c --checksum sha256',
      );
    const parsed = RepositoryPackageSchema.safeParse({ ...fields, ...lists, files });
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw this.#corrupt(
        `${issue?.path.join('.') ?? ''} of package ${what}: ${issue?.message ?? ''}`,
      );
    }
    if (!isBelow(parsed.data.location))
      throw this.#corrupt(`package ${what} lies outside of the repository`);
    this.#take(parsed.data);
  }

  #corrupt(why: string, cause?: unknown): RepodataError {
    return new RepodataError('REPODATA_CORRUPT', `${this.#file}: ${why}; make it anew.`, { cause });
  }

  #unsupported(why: string, remedy: string): RepodataError {
    return new RepodataError('REPODATA_UNSUPPORTED', `${this.#file}: ${why}; ${remedy}.`);
  }
}

/** Whether a location stays below the base it is resolved against. */
export function isBelow(location: string): boolean {
  const base = 'https://base.invalid/a/b/';
  // A scheme would take it elsewhere, whatever the base.
  if (!URL.canParse(location, base) || /[?#]|^[a-z][a-z0-9+.-]*:/i.test(location)) return false;
  const { href } = new URL(location, base);
  return href.startsWith(base) && href.length > base.length;
}
