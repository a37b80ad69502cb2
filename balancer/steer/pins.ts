// Cookies by which clients keep their place: signed, so that only weir gives places, and void as soon as the epoch of the service rises.
import { createHmac } from 'node:crypto';
import type { StickyConfig } from '../config/sticky-config.ts';
import type { KeyedPlace } from './keyed-split.ts';

/** Held by the worker for all generations: the controller made it for the workers of this host. */
export class PinKey {
  #key: Buffer | null = null;
  /** Rises when the key changes. */
  changes = 0;

  get bytes(): Buffer | null {
    return this.#key;
  }

  set(key: Buffer): void {
    this.#key = key;
    this.changes += 1;
  }
}

/** 128 bits: nobody guesses a place for himself. */
const MAC_CHARACTERS = 22;

/**
 * The pins of a service in one epoch. A pin says service, epoch and place and nothing of its client, so there is one for each place: they
 * are made once, and to verify one is to look it up.
 */
export class Pins {
  readonly #values: readonly string[];
  readonly #places = new Map<string, number>();

  constructor(service: string, epoch: number, places: readonly KeyedPlace[], key: Buffer) {
    this.#values = places.map(({ name }) => {
      // Names are DNS labels, so a dot divides them.
      const said = `${service}.${epoch}.${name.replace('/', '.')}`;
      const mac = createHmac('sha256', key).update(`weir pin ${said}`).digest('base64url').slice(0, MAC_CHARACTERS);
      return `${said}.${mac}`;
    });
    for (const [place, value] of this.#values.entries()) this.#places.set(value, place);
  }

  /** The place of a cookie; null: it is not of this service, epoch and key. */
  placeOf(cookie: string): number | null {
    return this.#places.get(cookie) ?? null;
  }

  valueOf(place: number): string {
    return this.#values[place] ?? '';
  }
}

/** RFC 6265 section 4.1. Not for scripts, not for other sites, and never over plain HTTP where it was given over TLS. */
export function setCookie({ cookieName, cookieMaxAgeMs }: StickyConfig, value: string, scheme: 'http' | 'https'): string {
  const age = cookieMaxAgeMs === null ? '' : `; Max-Age=${Math.ceil(cookieMaxAgeMs / 1000)}`;
  return `${cookieName}=${value}; Path=/${age}; HttpOnly; SameSite=Lax${scheme === 'https' ? '; Secure' : ''}`;
}
