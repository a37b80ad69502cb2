// Making a token: a new one, one that takes over from another while both hold for a time, or one that another host has made already.
import type { StoredToken, Store } from '../../store/store.ts';
import type { ApiProblem } from '../api/views.ts';
import type { MadeToken, Outcome, TokenRequest } from '../appliance.ts';
import { mintToken, type RandomBytes, tokenView } from './tokens.ts';

/** Of one cluster: the one that agents have, and the one that they are being given. */
export const MOST_AGENT_TOKENS = 2;

export interface TokenParts {
  readonly store: Pick<Store, 'tokens' | 'putToken' | 'deleteToken'>;
  readonly clusters: readonly string[];
  readonly nowMs: number;
  readonly randomBytes: RandomBytes;
}

export function makeToken(request: TokenRequest, parts: TokenParts): Outcome<MadeToken> {
  const { store, clusters, nowMs, randomBytes } = parts;
  const { cluster, rotate = null } = request;
  if (cluster !== null && !clusters.includes(cluster))
    return refused('not_found', `there is no cluster "${cluster}"; the config has ${clusters.join(', ')}`);
  const tokens = store.tokens();
  const live =
    cluster === null ? [] : tokens.filter((token) => token.role === 'agent' && token.cluster === cluster && isLive(token, nowMs));
  const name = rotate === null ? request.name : freeName(request.name, tokens, nowMs);
  if (tokens.some((token) => token.name === name && (rotate === null || isLive(token, nowMs))))
    return refused('conflict', `a token named ${name} exists; revoke it first (weir token revoke ${name}), or choose another name`);
  if (live.length >= MOST_AGENT_TOKENS) {
    const names = live.map((token) => (token.expiresAt === null ? token.name : `${token.name} (until ${token.expiresAt})`)).join(' and ');
    const message = `${names} are valid for ${cluster ?? ''}, and no more than ${MOST_AGENT_TOKENS} are at a time; revoke the one that no agent has any more (weir token revoke NAME)`;
    return refused('conflict', message);
  }
  const minted = mintToken({ ...request, name }, nowMs, randomBytes);
  const isKnown = request.secretHash !== undefined;
  const stored = isKnown ? { ...minted.stored, secretHash: request.secretHash ?? '' } : minted.stored;
  store.putToken(stored);
  const ending = rotate === null ? [] : live.map((token) => endBy(token, nowMs + rotate.keepMs));
  for (const token of ending) store.putToken(token);
  return { ok: true, value: { token: tokenView(stored), secret: isKnown ? null : minted.secret, ending: ending.map(tokenView) } };
}

/** The name itself where nothing that is valid has it, else with the next number behind it. */
function freeName(name: string, tokens: readonly StoredToken[], nowMs: number): string {
  const taken = new Set(tokens.filter((token) => isLive(token, nowMs)).map((token) => token.name));
  if (!taken.has(name)) return name;
  const stem = name.slice(0, 58);
  for (let number = 2; ; number += 1) if (!taken.has(`${stem}-${number}`)) return `${stem}-${number}`;
}

function endBy(token: StoredToken, atMs: number): StoredToken {
  const endsMs = Math.min(atMs, token.expiresAt === null ? Infinity : Date.parse(token.expiresAt));
  return { ...token, expiresAt: new Date(endsMs).toISOString() };
}

function isLive({ expiresAt }: StoredToken, nowMs: number): boolean {
  return expiresAt === null || nowMs < Date.parse(expiresAt);
}

function refused(code: ApiProblem['code'], message: string): Outcome<never> {
  return { ok: false, problem: { code, message } };
}
