// Filter cookies: what cookies of answers lack to be sent by https only, kept from scripts and kept from requests of other sites.
import { Type, type Static } from '../schema/type.ts';
import { choice, listOf, mapping } from '../config/schema-parts.ts';
import type { FilterDefinition } from './filter.ts';

const COOKIE_NAME = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";

const schema = mapping(
  {
    secure: Type.Boolean({ default: true, description: 'Adds `Secure` to cookies of answers to requests that came by https' }),
    httpOnly: Type.Boolean({ default: true, description: 'Adds `HttpOnly`: scripts of pages do not see the cookie' }),
    sameSite: choice(
      ['strict', 'lax', 'none', 'keep'],
      'Adds `SameSite` where a cookie says nothing of it; keep: it goes on saying nothing',
      'lax',
    ),
    readable: listOf(
      Type.String({ pattern: COOKIE_NAME, maxLength: 255, description: 'Name' }),
      'Cookies that scripts read: they get no `HttpOnly`',
      {
        default: [],
      },
    ),
    except: listOf(Type.String({ pattern: COOKIE_NAME, maxLength: 255, description: 'Name' }), 'Cookies that stay as they are', {
      default: [],
    }),
  },
  'Options of cookies',
);

type Options = Static<typeof schema>;

const SAME_SITE: Readonly<Record<Options['sameSite'], string>> = {
  strict: '; SameSite=Strict',
  lax: '; SameSite=Lax',
  none: '; SameSite=None',
  keep: '',
};

export const cookies: FilterDefinition = {
  name: 'cookies',
  summary: 'Adds to cookies of answers what they lack: `Secure`, `HttpOnly` and `SameSite`.',
  schema,
  example: '{ sameSite: strict, readable: [csrf] }',
  notes: [
    'What a cookie says itself stays. Browsers take `SameSite=None` with `Secure` only, so with `sameSite: none` requests must come by https. ' +
      'A listener behind another that ends TLS learns of https by `x-forwarded-proto` of a peer it trusts. Cookies that weir sets itself, so that clients keep their place, pass here too.',
  ],
  problem(options) {
    const { secure, sameSite } = options as Options;
    return sameSite === 'none' && !secure
      ? 'cookies: browsers drop cookies with SameSite=None that are not Secure; leave secure: false out'
      : null;
  },
  create(options) {
    const { secure, httpOnly, sameSite, readable, except } = options as Options;
    const [open, kept] = [new Set(readable), new Set(except)];
    const site = SAME_SITE[sameSite];
    return {
      onResponse({ scheme }, { fields }) {
        for (let i = 0; i < fields.length; i += 2) {
          if (fields[i] !== 'set-cookie') continue;
          const cookie = fields[i + 1] ?? '';
          const name = nameOf(cookie);
          if (kept.has(name)) continue;
          const has = attributesOf(cookie);
          let added = '';
          if (secure && scheme === 'https' && !has.has('secure')) added += '; Secure';
          if (httpOnly && !open.has(name) && !has.has('httponly')) added += '; HttpOnly';
          if (!has.has('samesite')) added += site;
          if (added !== '') fields[i + 1] = cookie.replace(/[; \t]*$/, '') + added;
        }
      },
    };
  },
};

const nameOf = (cookie: string): string => cookie.slice(0, Math.max(0, cookie.split(';', 1)[0]?.indexOf('=') ?? 0)).trim();

/** Lower case (RFC 6265 section 5.2: they are told apart whatever their case). */
const attributesOf = (cookie: string): ReadonlySet<string> =>
  new Set(
    cookie
      .split(';')
      .slice(1)
      .map((part) => (part.split('=', 1)[0] ?? '').trim().toLowerCase()),
  );
