/** A package repository in a folder, as createrepo_c would leave it; its package files are bytes. */
import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';

export interface Rpm {
  readonly name: string;
  readonly epoch?: number;
  readonly version: string;
  readonly release: string;
  readonly arch?: string;
  /** Names alone. */
  readonly requires?: readonly string[];
  readonly files?: readonly string[];
}

const sha256 = (content: string | Uint8Array): string =>
  createHash('sha256').update(content).digest('hex');

/** Writes the repository, in place of what was there; answers its base URL. */
export async function writeRepository(
  folder: string,
  rpms: readonly Rpm[],
  revision = '1',
): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'repodata'), { recursive: true });
  const packages: string[] = [];
  for (const rpm of rpms) {
    const content = `the file of ${JSON.stringify(rpm)}`;
    const { name, version, release, arch = 'x86_64' } = rpm;
    const file = `${name}-${version}-${release}.${arch}.rpm`;
    await writeFile(join(folder, file), content);
    packages.push(elementOf(rpm, file, content));
  }
  const primary = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<metadata xmlns="http://linux.duke.edu/metadata/common" ' +
      `xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="${packages.length}">`,
    ...packages,
    '</metadata>',
  ].join('\n');
  const packed = gzipSync(primary);
  await writeFile(join(folder, 'repodata', 'primary.xml.gz'), packed);
  await writeFile(
    join(folder, 'repodata', 'repomd.xml'),
    `<repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>${revision}</revision>
<data type="primary"><checksum type="sha256">${sha256(packed)}</checksum>
<open-checksum type="sha256">${sha256(primary)}</open-checksum>
<location href="repodata/primary.xml.gz"/><size>${packed.length}</size></data></repomd>`,
  );
  return pathToFileURL(folder).href;
}

function elementOf(rpm: Rpm, file: string, content: string): string {
  const { name, epoch = 0, version, release, arch = 'x86_64' } = rpm;
  const requires = (rpm.requires ?? []).map((one) => `<rpm:entry name="${one}"/>`).join('');
  const files = (rpm.files ?? []).map((one) => `<file>${one}</file>`).join('');
  return `<package type="rpm"><name>${name}</name><arch>${arch}</arch>
<version epoch="${epoch}" ver="${version}" rel="${release}"/>
<checksum type="sha256" pkgid="YES">${sha256(content)}</checksum><summary>${name}</summary>
<size package="${content.length}" installed="1"/><location href="${file}"/><format>
<rpm:provides><rpm:entry name="${name}" flags="EQ" epoch="${epoch}" ver="${version}" rel="${release}"/></rpm:provides>
<rpm:requires>${requires}</rpm:requires>${files}</format></package>`;
}
