// Cookies of logins: their names, how they come in and go out. Nobody behind weir sees them.
import type { Fields } from '../../message/fields.ts';

/** Browsers take at most 4,096 bytes for name, value and attributes together (RFC 6265 section 6.1). */
const CHUNK_LENGTH = 3800;
/** More would leave a request head no room for other fields. */
const MOST_CHUNKS = 4;
/** Browsers take it from the host itself, over https, for all its paths, and from nobody else (RFC 6265bis section 4.1.3.2). */
const HOST_PREFIX = '__Host-';
/** Between the name of sessions and the state of a login. */
const LOGIN = '-login-';

const ZERO = 0x30;

/** By their whole names. Null: it came more than once, which only another one than weir can bring about. */
export type OwnCookies = ReadonlyMap<string, string | null>;

const NONE: OwnCookies = new Map();

/** Takes the cookies of logins that are named after `base` out of a request. */
export function takeCookies(fields: Fields, base: string): OwnCookies {
  let taken: Map<string, string | null> | null = null;
  for (let i = fields.length - 2; i >= 0; i -= 2) {
    const text = fields[i + 1] ?? '';
    if (fields[i] !== 'cookie' || !text.includes(base)) continue;
    taken ??= new Map();
    const rest = takeFrom(text, base, taken).trim();
    if (rest === '') fields.splice(i, 2);
    else fields[i + 1] = rest;
  }
  return taken ?? NONE;
}

/** What is left of a field. */
function takeFrom(text: string, base: string, taken: Map<string, string | null>): string {
  let rest = '';
  for (let from = 0; from <= text.length;) {
    const semicolon = text.indexOf(';', from);
    const end = semicolon < 0 ? text.length : semicolon;
    const pair = text.slice(from, end);
    const equals = pair.indexOf('=');
    const name = (equals < 0 ? pair : pair.slice(0, equals)).trim();
    if (!isOwn(name, base)) rest += rest === '' ? pair : `;${pair}`;
    else if (equals >= 0) taken.set(name, taken.has(name) ? null : pair.slice(equals + 1).trim());
    from = end + 1;
  }
  return rest;
}

function isOwn(name: string, base: string): boolean {
  const at = name.startsWith(HOST_PREFIX) ? HOST_PREFIX.length : 0;
  if (!name.startsWith(base, at)) return false;
  const end = at + base.length;
  return name.length === end || name[end] === '.' || name.startsWith(LOGIN, end);
}

/** How cookies are named for pages of one scheme. */
export class CookieJar {
  readonly session: string;
  readonly #signedOut: string;
  readonly #attributes: string;

  constructor(base: string, isSecure: boolean) {
    this.session = `${isSecure ? HOST_PREFIX : ''}${base}`;
    this.#signedOut = `${this.session}.out`;
    this.#attributes = `; Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;
  }

  /** Of a login that has begun. */
  login(state: string): string {
    return this.session + LOGIN + state;
  }

  /** The states of logins that have begun, those that began first in front. */
  states(cookies: OwnCookies): readonly string[] {
    const prefix = this.login('');
    const found = [...cookies.keys()].flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []));
    return found.sort();
  }

  set(name: string, value: string, seconds: number): Fields {
    return ['set-cookie', `${name}=${value}; Max-Age=${seconds}${this.#attributes}`];
  }

  drop(name: string): Fields {
    return this.set(name, '', 0);
  }

  /** Null: there is none, or not all of it. Undefined: more than one. */
  readSession(cookies: OwnCookies): string | null | undefined {
    if (cookies.size === 0) return null;
    const first = cookies.get(this.session);
    if (first === undefined) return null;
    if (first === null) return undefined;
    const count = first.charCodeAt(0) - ZERO;
    if (!(count >= 1 && count <= MOST_CHUNKS) || first[1] !== '.') return null;
    let text = first.slice(2);
    for (let part = 1; part < count; part += 1) {
      const more = cookies.get(`${this.session}.${part}`);
      if (more === null) return undefined;
      if (more === undefined) return null;
      text += more;
    }
    return text;
  }

  /** Sets the session in as many cookies as it takes, and drops those that are left of a longer one. Null: it is too long. */
  setSession(text: string, seconds: number, before: OwnCookies): Fields | null {
    const count = Math.max(1, Math.ceil(text.length / CHUNK_LENGTH));
    if (count > MOST_CHUNKS) return null;
    const fields: Fields = [];
    for (let part = 0; part < count; part += 1) {
      const piece = text.slice(part * CHUNK_LENGTH, (part + 1) * CHUNK_LENGTH);
      fields.push(
        ...(part === 0 ? this.set(this.session, `${count}.${piece}`, seconds) : this.set(`${this.session}.${part}`, piece, seconds)),
      );
    }
    for (let part = count; part < MOST_CHUNKS; part += 1)
      if (before.has(`${this.session}.${part}`)) fields.push(...this.drop(`${this.session}.${part}`));
    return fields;
  }

  dropSession(before: OwnCookies): Fields {
    const names = [this.session, ...Array.from({ length: MOST_CHUNKS - 1 }, (_, index) => `${this.session}.${index + 1}`)];
    return names.filter((name) => before.has(name)).flatMap((name) => this.drop(name));
  }

  /**
   * Leaves behind when somebody has signed out: an answer that was under way then may bring the session back, and it must not count. Nobody
   * vouches for this cookie, and there is nothing to be had by it: it ends sessions of its browser, and that is all.
   */
  signOut(before: OwnCookies, nowMs: number, seconds: number): Fields {
    return [...this.dropSession(before), ...this.set(this.#signedOut, `${nowMs}`, seconds)];
  }

  /** Milliseconds since 1970; sessions that began before are over. */
  signedOutMs(cookies: OwnCookies): number {
    const text = cookies.get(this.#signedOut) ?? '';
    return text !== '' && /^[0-9]{1,15}$/.test(text) ? Number(text) : -Infinity;
  }

  /** For a session that begins. */
  forgetSignOut(before: OwnCookies): Fields {
    return before.has(this.#signedOut) ? this.drop(this.#signedOut) : [];
  }
}
