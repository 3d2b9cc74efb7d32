/** Makes `sample-repository/` anew, the metadata that unit tests read: real, so that they know it. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { buildRpms, indexRepository, sampleRpms } from './sample-rpms.ts';

const target = new URL('./sample-repository', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'bivouac-sample-'));
try {
  buildRpms(sampleRpms, folder);
  indexRepository(
    folder,
    '--revision',
    '1',
    '--set-timestamp-to-revision',
    '--simple-md-filenames',
  );
  const repodata = join(folder, 'repodata');
  for (const name of readdirSync(repodata)) {
    if (!/^(repomd|primary)\.xml/.test(name)) rmSync(join(repodata, name));
  }
  // As newer createrepo_c packs it.
  execFileSync('sh', ['-c', 'gzip -dc primary.xml.gz | zstd -q -19 -o primary.xml.zst'], {
    cwd: repodata,
  });
  rmSync(target, { recursive: true, force: true });
  cpSync(repodata, join(target, 'repodata'), { recursive: true });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
