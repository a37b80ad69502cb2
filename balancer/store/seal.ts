// Signatures of what hosts of a fleet leave for each other: who can write to the place between them, and has no key, cannot steer.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a text is for is signed with it, so that none can stand in for another. */
export type Purpose = 'entry' | 'snapshot' | 'config' | 'host' | 'counts' | 'demand' | 'digest' | 'document' | 'mark';

/** HMAC-SHA256 (RFC 2104) in base64url. */
const SIGNATURE_LENGTH = 43;
const MIN_KEY_BYTES = 32;

export class Seal {
  readonly #keys: readonly Buffer[];

  /** The first key signs, all verify: a new one is added behind the first on every host, then moved to the front, then the old one is taken out. */
  constructor(keys: readonly Buffer[]) {
    this.#keys = keys;
  }

  /** The signature, and then the text as it is. `name`: what of its purpose it is, e.g. a revision. */
  close(purpose: Purpose, name: string, text: string): string {
    const [key] = this.#keys;
    if (key === undefined) throw new Error('a seal has at least one key');
    return sign(key, purpose, name, text) + text;
  }

  /** The text; null: no key of the fleet has signed it for this. */
  open(purpose: Purpose, name: string, sealed: string): string | null {
    const given = Buffer.from(sealed.slice(0, SIGNATURE_LENGTH));
    const text = sealed.slice(SIGNATURE_LENGTH);
    const isGenuine = this.#keys.some((key) => {
      const wanted = Buffer.from(sign(key, purpose, name, text));
      return wanted.length === given.length && timingSafeEqual(wanted, given);
    });
    return isGenuine ? text : null;
  }
}

function sign(key: Buffer, purpose: Purpose, name: string, text: string): string {
  return createHmac('sha256', key).update(`weir\0${purpose}\0${name}\0`).update(text, 'utf8').digest('base64url');
}

/** Keys of a key file: base64, one a line, at least 32 bytes each; `#` begins a comment. Throws with what is wrong in which line. */
export function parseKeys(text: string, file: string): readonly Buffer[] {
  const keys = text.split('\n').flatMap((line, index) => {
    const written = line.replace(/#.*/, '').trim();
    if (written === '') return [];
    const key = Buffer.from(written, 'base64');
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(written) || key.length < MIN_KEY_BYTES)
      throw new Error(`${file}:${index + 1}: expected a key of at least ${MIN_KEY_BYTES} bytes in base64; make one with: ${MAKE_KEY}`);
    return [key];
  });
  if (keys.length === 0) throw new Error(`${file}: there is no key in it; make one with: ${MAKE_KEY} > ${file}`);
  return keys;
}

const MAKE_KEY = 'openssl rand -base64 32';
