/** Certificates for tests, made by openssl: an authority, and what it has signed. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The files of a certificate and its key. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** One that signs for 127.0.0.1, in a folder of its own. */
export class Authority {
  readonly #folder: string;
  readonly #own: Certificate;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#own = { cert: join(folder, 'ca.crt'), key: join(folder, 'ca.key') };
  }

  static async make(name: string): Promise<Authority> {
    const authority = new Authority(await mkdtemp(join(tmpdir(), 'bivouac-tls-')));
    const { cert, key } = authority.#own;
    const subject = ['-days', '1', '-subj', `/CN=${name}`];
    await openssl('req', '-x509', ...KEY, ...subject, '-keyout', key, '-out', cert);
    return authority;
  }

  /** Its own certificate, for who trusts it. */
  get ca(): string {
    return this.#own.cert;
  }

  /**
   * Signs one.
   *
   * @param days - from now on; -1: it has expired.
   * @param address - whom it is for
   */
  async sign(name: string, days = 1, address = '127.0.0.1'): Promise<Certificate> {
    const file = (suffix: string): string => join(this.#folder, `${name}.${suffix}`);
    const made = { cert: file('crt'), key: file('key') };
    await openssl('req', ...KEY, '-subj', `/CN=${name}`, '-keyout', made.key, '-out', file('csr'));
    await writeFile(file('ext'), `subjectAltName=IP:${address}`);
    await openssl(
      ...['x509', '-req', '-in', file('csr'), '-CA', this.#own.cert, '-CAkey', this.#own.key],
      ...['-CAcreateserial', '-days', String(days), '-extfile', file('ext'), '-out', made.cert],
    );
    return made;
  }

  async dispose(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function openssl(...args: readonly string[]): Promise<void> {
  await promisify(execFile)('openssl', args);
}
