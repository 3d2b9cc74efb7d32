/** A tar archive (POSIX ustar) of a few small files, made in memory: the same input, the same bytes. */

export type TarEntry =
  | { readonly path: string; readonly folder: true; readonly mode?: number }
  | { readonly path: string; readonly link: string }
  | { readonly path: string; readonly content: Buffer | string; readonly mode?: number };

const BLOCK = 512;

/** All owned by root, all of the same fixed time. Paths are at most 100 bytes. */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  const blocks: Buffer[] = [];
  for (const entry of entries) {
    const content = 'content' in entry ? Buffer.from(entry.content) : Buffer.alloc(0);
    blocks.push(header(entry, content.length), content);
    blocks.push(Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK));
  }
  // Two empty blocks end the archive.
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

function header(entry: TarEntry, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const [type, mode] =
    'folder' in entry
      ? ['5', entry.mode ?? 0o755]
      : 'link' in entry
        ? ['2', 0o777]
        : ['0', entry.mode ?? 0o644];
  if (Buffer.byteLength(entry.path) > 100)
    throw new RangeError(`${entry.path} is too long for tar`);
  block.write(entry.path, 0);
  block.write(octal(mode, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(size, 12), 124);
  block.write(octal(1_700_000_000, 12), 136);
  block.write(type, 156);
  if ('link' in entry) block.write(entry.link, 157);
  block.write('ustar\0' + '00', 257);
  block.write('root', 265);
  block.write('root', 297);
  // The sum is taken with its own field as spaces.
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}
