// A purge of what routes have stored: a part of the intent, so that every worker of every host applies it once, whenever it hears of it. Pure.
import { canonicalTarget } from '../message/canonical-path.ts';
import { nearest } from '../config/nearest.ts';
import type { RouteConfig } from '../config/config.ts';
import type { Intent, PurgeChange, Refusal } from './intent.ts';
import { isRefusal } from './percent.ts';

/** What of it is empty narrows nothing down; where all is empty it takes everything. */
export interface Purge {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** What is stored ends now in place of being dropped: it may be served behind its end, and asked about. */
  readonly soft: boolean;
  /** Null: all routes. */
  readonly route: string | null;
  /** `host/path?query`; scheme and port do not count. */
  readonly urls: readonly string[];
  /** `host/path`, or `/path` of any host: all that begins with it. */
  readonly prefixes: readonly string[];
  readonly tags: readonly string[];
}

/** By the number of the revision that made each. */
export type Purges = Readonly<Record<string, Purge>>;

/**
 * Newest ones that are kept. A worker that has seen none of a full list may have missed others, and drops all it has.
 */
export const MOST_PURGES = 64;
/** A list in full goes to every worker with every whole plan. */
const MOST_CHARACTERS = 4096;
const LONGEST_TAG = 256;
/** Visible ASCII without what divides tags. */
const TAG = /^[\x21-\x2b\x2d-\x7e]+$/;

/** The purge that is asked for. */
export function purgeOf(change: PurgeChange, routes: readonly Pick<RouteConfig, 'name' | 'filters'>[], wallMs: number): Purge | Refusal {
  const { route = null, soft = false, all = false, urls = [], prefixes = [], tags = [] } = change;
  const named = urls.length + prefixes.length + tags.length;
  if (named === 0 && route === null && !all)
    return usage('nothing is named: say what is to be purged by --url, --prefix, --tag or --route, or --all for everything');
  if (all && (named > 0 || route !== null)) return usage('--all is everything: leave the others away');
  const problem = route === null ? null : routeProblem(route, routes);
  if (problem !== null) return problem;
  const [places, starts] = [urls.map(placeOfUrl), prefixes.map(startOf)];
  const wrong = [...places, ...starts, ...tags.map(tagProblem)].find((one) => typeof one !== 'string');
  if (wrong !== undefined && isRefusal(wrong)) return wrong;
  const purge = { at: new Date(wallMs).toISOString(), soft, route, urls: places.filter(isText), prefixes: starts.filter(isText), tags };
  if (charactersOf(purge) <= MOST_CHARACTERS) return purge;
  return usage(`one purge takes at most ${MOST_CHARACTERS} characters of URLs, prefixes and tags; make it several`);
}

/** With one more; the oldest go. */
export function withPurge({ purges = {}, ...intent }: Intent, purge: Purge): Intent {
  const kept = Object.keys(purges)
    .sort((one, other) => Number(one) - Number(other))
    .slice(1 - MOST_PURGES);
  const before = Object.fromEntries(Object.entries(purges).filter(([id]) => kept.includes(id)));
  return { ...intent, purges: { ...before, [String(intent.revision + 1)]: purge } };
}

/** What was purged stays so, whatever else is taken back. */
export const purgesPart = ({ purges }: Pick<Intent, 'purges'>): Pick<Intent, 'purges'> => (purges === undefined ? {} : { purges });

/** In words: `/img of shop.example, tag news, on route shop`. */
export function purgeText({ urls, prefixes, tags, route, soft }: Omit<Purge, 'at'>): string {
  const named = [...urls, ...prefixes.map((prefix) => `${prefix}…`), ...tags.map((tag) => `tag ${tag}`)];
  const [shown, more] = [named.slice(0, MOST_SHOWN), named.length - MOST_SHOWN];
  const what = named.length === 0 ? 'everything' : `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return `cache: ${soft ? 'what is stored ends now' : 'what is stored is dropped'}: ${what}${route === null ? '' : ` of route ${route}`}`;
}

const MOST_SHOWN = 5;

function charactersOf({ urls, prefixes, tags }: Purge): number {
  return [...urls, ...prefixes, ...tags].reduce((sum, text) => sum + text.length, 0);
}

function routeProblem(name: string, routes: readonly Pick<RouteConfig, 'name' | 'filters'>[]): Refusal | null {
  const caching = routes.filter(({ filters }) => filters.some((filter) => filter.name === 'cache')).map((route) => route.name);
  if (caching.includes(name)) return null;
  const guess = nearest(name, caching);
  const others =
    caching.length === 0 ? 'no route has the filter cache' : `routes with the filter cache: ${caching.slice(0, 20).join(', ')}`;
  const known = routes.some((route) => route.name === name);
  const said = known
    ? `route "${name}" stores nothing`
    : `there is no route "${name}"${guess === null ? '' : `; did you mean "${guess}"?`}`;
  return { kind: known ? 'usage' : 'not_found', message: `${said}; ${others}` };
}

function placeOfUrl(text: string): string | Refusal {
  const [, authority = '', target = ''] = /^https?:\/\/([^/?#\s]+)([^#\s]*)$/i.exec(text) ?? [];
  const host = hostOf(authority);
  const canonical = canonicalTarget(target.startsWith('/') ? target : `/${target}`);
  if (host === null || canonical === null)
    return usage(`${JSON.stringify(text)} is no URL as clients ask for it; expected for example https://shop.example/img/logo.png?size=2`);
  return `${host}${canonical.path}${canonical.hasQuery ? `?${canonical.query}` : ''}`;
}

/** `/path` or `host/path`. */
function startOf(text: string): string | Refusal {
  const at = text.indexOf('/');
  const host = at === 0 ? '' : hostOf(text.slice(0, at));
  const canonical = at < 0 ? null : canonicalTarget(text.slice(at));
  if (host === null || canonical === null || canonical.hasQuery)
    return usage(`${JSON.stringify(text)} is no beginning of a path; expected for example /img/, or shop.example/img/ of one host`);
  return `${host}${canonical.path}`;
}

/** Lower case, without port and without the dot of the root; null: it is none. */
function hostOf(authority: string): string | null {
  const host = authority.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
  return /^(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])$/.test(host) ? host : null;
}

function tagProblem(tag: string): string | Refusal {
  if (tag.length <= LONGEST_TAG && TAG.test(tag)) return tag;
  return usage(`${JSON.stringify(tag)} is no tag; expected up to ${LONGEST_TAG} visible characters without commas and blanks`);
}

const isText = (value: string | Refusal): value is string => typeof value === 'string';

function usage(message: string): Refusal {
  return { kind: 'usage', message };
}
