// A tar archive of a few texts (POSIX ustar), compressed: what any machine can open.
import { gzipSync } from 'node:zlib';

export interface ArchivedText {
  /** At most 100 characters. */
  readonly name: string;
  readonly text: string;
}

const BLOCK = 512;

export function tarGz(files: readonly ArchivedText[], wallMs: number): Buffer {
  const blocks = files.flatMap(({ name, text }) => {
    const content = Buffer.from(text);
    const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
    return [header(name, content.length, wallMs), content, padding];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]));
}

/** Fields of POSIX.1-1988 ustar: octal numbers that end in a NUL; the sum is made with blanks in its own place. */
function header(name: string, size: number, wallMs: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const put = (text: string, offset: number): void => void block.write(text, offset, 'latin1');
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  put(name.slice(0, 100), 0);
  put(octal(0o600, 8), 100);
  put(octal(0, 8), 108);
  put(octal(0, 8), 116);
  put(octal(size, 12), 124);
  put(octal(Math.floor(wallMs / 1000), 12), 136);
  put(' '.repeat(8), 148);
  put('0', 156);
  put('ustar\x0000', 257);
  put(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  return block;
}
