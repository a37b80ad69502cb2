// Texts that only hosts with the same keys can make and read: JWE (RFC 7516) by a key of the file, one derived for each purpose.
import { hash, hkdfSync } from 'node:crypto';
import { loadJose } from '../authenticate/jose.ts';

/** AES-256. */
const KEY_BYTES = 32;
/** Each is tried by its name only, so this bounds the work of reading the file and nothing else. */
const MOST_KEYS = 16;
const KEY = /^[A-Za-z0-9+/_-]{43}=?$/;

interface NamedKey {
  readonly id: string;
  readonly key: Uint8Array;
}

/** What a sealed text says. */
export interface Opened {
  readonly value: unknown;
  /** By the key that seals now; else the text should be sealed anew, before its key leaves the file. */
  readonly isFresh: boolean;
}

/** The keys of a text: 32 bytes each, in base64, one a line, the first seals. A text: why they are none; it repeats nothing of them. */
export function readSealKeys(text: string): readonly Buffer[] | string {
  const lines = text.split(/\s+/).filter((line) => line !== '');
  if (lines.length === 0) return 'there is no key in it';
  if (lines.length > MOST_KEYS) return `there are more than ${MOST_KEYS} keys in it`;
  const bad = lines.findIndex((line) => !KEY.test(line));
  if (bad >= 0) return `key ${bad + 1} is not 32 bytes in base64; \`openssl rand -base64 32\` makes one`;
  return lines.map((line) => Buffer.from(line, 'base64'));
}

export class Seal {
  readonly #read: () => string | null;
  readonly #purpose: string;
  #text: string | null = null;
  #version = 0;
  #keys: readonly NamedKey[] = [];

  /** A text that was sealed for one purpose is nothing for another. `read` gives the text of the keys; null: they are not there. */
  constructor(read: () => string | null, purpose: string) {
    this.#read = read;
    this.#purpose = purpose;
  }

  /** Null: there is no key. */
  async seal(value: object): Promise<string | null> {
    const [first] = this.#current();
    if (first === undefined) return null;
    const { CompactEncrypt } = await loadJose();
    return new CompactEncrypt(Buffer.from(JSON.stringify(value)))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: first.id })
      .encrypt(first.key);
  }

  /** Null: nobody with these keys has made it, or not for this. */
  async open(text: string): Promise<Opened | null> {
    const keys = this.#current();
    const index = keys.findIndex(({ id }) => id === keyIdOf(text));
    const known = keys[index];
    if (known === undefined) return null;
    const { compactDecrypt } = await loadJose();
    try {
      const { plaintext } = await compactDecrypt(text, known.key, {
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
      });
      const value: unknown = JSON.parse(Buffer.from(plaintext).toString('utf8'));
      return { value, isFresh: index === 0 };
    } catch {
      return null;
    }
  }

  /** Rises when the keys change: what was opened by a key that is gone counts for nothing. */
  get version(): number {
    this.#current();
    return this.#version;
  }

  #current(): readonly NamedKey[] {
    const text = this.#read();
    if (text === this.#text) return this.#keys;
    this.#text = text;
    this.#version += 1;
    const keys = text === null ? 'they are not there' : readSealKeys(text);
    this.#keys = typeof keys === 'string' ? [] : keys.map((key) => derived(key, this.#purpose));
    return this.#keys;
  }
}

function derived(key: Buffer, purpose: string): NamedKey {
  const own = new Uint8Array(hkdfSync('sha256', key, '', `weir login ${purpose}`, KEY_BYTES));
  return { id: hash('sha256', own, 'buffer').toString('base64url', 0, 6), key: own };
}

/** Empty: the text is no JWE. */
function keyIdOf(text: string): string {
  try {
    const header: unknown = JSON.parse(Buffer.from(text.slice(0, Math.max(0, text.indexOf('.'))), 'base64url').toString('utf8'));
    const id: unknown = Reflect.get(Object(header), 'kid');
    return typeof id === 'string' ? id : '';
  } catch {
    return '';
  }
}
