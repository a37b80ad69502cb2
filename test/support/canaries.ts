// Secrets that stand out, and the search for them in whatever was written.
import { randomBytes } from 'node:crypto';

/** By what it is. Each is unlike anything else that is written. */
export class Canaries {
  readonly #texts = new Map<string, string>();

  make(what: string): string {
    return this.know(what, `canary${randomBytes(18).toString('hex')}`);
  }

  know(what: string, text: string): string {
    this.#texts.set(what, text);
    return text;
  }

  get size(): number {
    return this.#texts.size;
  }

  /** What of it stands in a text, as it is or in one of the spellings that decoders know. */
  in(text: string): readonly string[] {
    return [...this.#texts].flatMap(([what, secret]) => (spellings(secret).some((one) => text.includes(one)) ? [what] : []));
  }
}

/** Of base64 only what does not depend on where in the text it begins. */
function spellings(secret: string): readonly string[] {
  const shifted = [0, 1, 2].map((shift) => {
    const text = Buffer.from(' '.repeat(shift) + secret).toString('base64');
    return text.slice(shift === 0 ? 0 : shift + 1, -4);
  });
  return [secret, encodeURIComponent(secret), Buffer.from(secret).toString('hex'), ...shifted];
}
