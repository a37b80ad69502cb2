// Whether two versions gave the same answer: status, then body, JSON without what may differ. Nobody waits for it.
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib';
import { sameJson } from '../config/canonical-json.ts';
import type { MirrorCompare } from '../config/mirror-config.ts';
import { fieldValue, type Fields } from '../message/fields.ts';

export interface WholeAnswer {
  readonly status: number;
  readonly fields: Readonly<Fields>;
  /** Null: it was longer than is compared. */
  readonly body: Buffer | null;
}

export type Comparison = 'same' | 'status' | 'body' | 'too_large';

/** A body that was compressed is compared up to so many times its bound. */
const EXPANSION = 8;

const DECODERS: Readonly<Record<string, (bytes: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>>> = {
  gzip: promisify<Buffer, { readonly maxOutputLength: number }, Buffer>(gunzip),
  deflate: promisify<Buffer, { readonly maxOutputLength: number }, Buffer>(inflate),
  br: promisify<Buffer, { readonly maxOutputLength: number }, Buffer>(brotliDecompress),
  zstd: promisify<Buffer, { readonly maxOutputLength: number }, Buffer>(zstdDecompress),
};

export async function compareAnswers(
  one: WholeAnswer,
  other: WholeAnswer,
  { body, ignore, maxBodyBytes }: MirrorCompare,
): Promise<Comparison> {
  if (one.status !== other.status) return 'status';
  if (!body) return 'same';
  if (one.body === null || other.body === null) return one.body === other.body ? 'too_large' : 'body';
  if (one.body.equals(other.body)) return 'same';
  const [mine, theirs] = await Promise.all([plainBody(one, one.body, maxBodyBytes), plainBody(other, other.body, maxBodyBytes)]);
  if (mine === null || theirs === null) return 'too_large';
  if (mine.equals(theirs)) return 'same';
  return ignore.length > 0 && sameBut(mine, theirs, ignore) ? 'same' : 'body';
}

/** Null: it becomes too large, or is not what it says. */
async function plainBody({ fields }: WholeAnswer, body: Buffer, maxBodyBytes: number): Promise<Buffer | null> {
  const coding = fieldValue(fields, 'content-encoding')?.toLowerCase() ?? 'identity';
  const decode = DECODERS[coding];
  if (decode === undefined || body.length === 0) return body;
  return decode(body, { maxOutputLength: maxBodyBytes * EXPANSION }).catch(() => null);
}

function sameBut(one: Buffer, other: Buffer, ignore: readonly string[]): boolean {
  const [mine, theirs] = [parsed(one), parsed(other)];
  if (mine === undefined || theirs === undefined) return false;
  for (const pointer of ignore) {
    const path = pointer.slice(1).split('/').map(unescaped);
    remove(mine, path);
    remove(theirs, path);
  }
  return sameJson(mine, theirs);
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString()) as unknown;
  } catch {
    return undefined;
  }
}

/** RFC 6901 section 4. */
const unescaped = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~');

function remove(value: unknown, [part, ...rest]: readonly string[]): void {
  if (typeof value !== 'object' || value === null || part === undefined) return;
  for (const key of part === '*' ? Object.keys(value) : [part]) {
    if (!Object.hasOwn(value, key)) continue;
    if (rest.length > 0) remove(Reflect.get(value, key), rest);
    // Other elements of a list keep their places.
    else Reflect.set(value, key, null);
  }
}
