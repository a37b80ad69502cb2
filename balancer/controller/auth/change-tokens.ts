// Making, sharing and revoking tokens: of the fleet by a revision that all hosts follow, of this host alone in its own store.
import { randomBytes } from 'node:crypto';
import { applyChange } from '../../intent/apply-change.ts';
import { changeTokens, freeName, type TokenChange, type Tokens } from '../../intent/tokens.ts';
import type { FleetAppliedView } from '../api/fleet-views.ts';
import type { MadeToken, RevokedToken, TokenRequest } from '../api/token-view.ts';
import type { ApiProblem } from '../api/views.ts';
import type { Caller, Outcome } from '../appliance.ts';
import type { Edge } from '../edge.ts';
import { mintToken } from './tokens.ts';

/** Others change the intent meanwhile, mostly something else. */
const TRIES = 5;
/** With the way to the store before, who does not know it yet is named within three seconds. */
const FLEET_DEADLINE_MS = 2000;

interface Making {
  readonly request: TokenRequest;
  readonly caller: Caller;
  readonly nowMs: number;
}

/** Has to run alone (`Edge.changes`), as the others here. */
export async function createToken(edge: Edge, request: TokenRequest, caller: Caller): Promise<Outcome<MadeToken>> {
  const { clock, fleet } = edge.options;
  const making = { request, caller, nowMs: clock.wallMs() };
  const { rotate = null, secretHash } = request;
  const name = rotate === null ? request.name : freeName(request.name, namesOf(edge), making.nowMs);
  const minted = mintToken({ ...request, name }, making.nowMs, randomBytes);
  const stored = { ...minted.stored, secretHash: secretHash ?? minted.stored.secretHash };
  if (edge.tokens.isRefused(stored.secretHash))
    return refuse({
      code: 'conflict',
      message: `the token ${name} was revoked, and what was revoked does not come back: make another one`,
    });
  const isShared = fleet !== null && request.local !== true;
  const twin = edge.tokens.all().find((token) => token.name === name && token.scope === (isShared ? 'host' : 'fleet'));
  if (twin !== undefined) return refuse({ code: 'conflict', message: takenText(name, isShared) });
  const { owner, role, cluster, expiresAt } = stored;
  const othersExpireAt = rotate === null ? null : new Date(making.nowMs + rotate.keepMs).toISOString();
  const change = { kind: 'token_make', name, owner, role, cluster, secretHash: stored.secretHash, expiresAt, othersExpireAt } as const;
  const before = endsOf(edge);
  if (isShared && rotate !== null) sureOfStore(edge);
  const done = isShared ? await changeOfFleet(edge, change, caller) : changeOfHost(edge, change, making);
  if (!done.ok) return done;
  // Those of this host alone are taken over from too.
  if (isShared && rotate !== null) endOwn(edge, change);
  const token = edge.tokens.all().find((one) => one.secretHash === stored.secretHash);
  if (token === undefined) return refuse({ code: 'conflict', message: `the token ${name} was revoked by somebody else right away` });
  const ending = edge.tokens.all().filter((one) => one !== token && before.get(one.secretHash) !== one.expiresAt);
  tell(edge, 'security.token_created', `token ${name} (${role}) created by ${caller.author.name}${endingText(ending)}`);
  const secret = secretHash === undefined ? minted.secret : null;
  return {
    ok: true,
    value: { token: edge.tokens.view(token), secret, ending: ending.map((one) => edge.tokens.view(one)), fleet: done.value },
  };
}

/** A token of this host alone is one of the fleet from now on; its holder keeps it. */
export async function shareToken(edge: Edge, name: string, caller: Caller): Promise<Outcome<MadeToken>> {
  if (edge.options.fleet === null)
    return refuse({
      code: 'usage',
      message: 'this host is alone: there is no fleet to share a token with (state.redis makes it one of a fleet)',
    });
  const own = edge.tokens.all().find((token) => token.name === name && token.scope === 'host');
  if (own === undefined)
    return refuse({ code: 'not_found', message: `this host has no token ${name} of its own; weir token list shows those there are` });
  const { owner, role, cluster, secretHash, expiresAt } = own;
  const change = { kind: 'token_make', name, owner, role, cluster, secretHash, expiresAt, othersExpireAt: null } as const;
  const done = await changeOfFleet(edge, change, caller);
  if (!done.ok) return done;
  tell(edge, 'security.token_created', `token ${name} (${role}) shared with the fleet by ${caller.author.name}`);
  const token = edge.tokens.all().find((one) => one.secretHash === secretHash && one.scope === 'fleet') ?? own;
  return { ok: true, value: { token: edge.tokens.view(token), secret: null, ending: [], fleet: done.value } };
}

export interface Revoking {
  readonly name: string;
  /** On this host alone. */
  readonly local: boolean;
  readonly caller: Caller;
}

/** Everything that has the name on this host: whoever revokes a token means that it is good no more. */
export async function revokeToken(edge: Edge, { name, local, caller }: Revoking): Promise<Outcome<RevokedToken>> {
  const known = edge.tokens.all().filter((token) => token.name === name);
  const shared = known.find(({ scope }) => scope === 'fleet');
  if (known.length === 0)
    return refuse({ code: 'not_found', message: `there is no token named ${name}; weir token list shows those there are` });
  const isOwn = known.length > (shared === undefined ? 0 : 1);
  const revoked = (fleet: FleetAppliedView | null, elsewhere = false): Outcome<RevokedToken> => {
    // What the fleet has taken is not taken back by a store that takes nothing since.
    if (isOwn && fleet !== null) edge.keeper.keep(() => edge.options.store.deleteToken(name));
    else if (isOwn) edge.options.store.deleteToken(name);
    edge.tokens.changed();
    tell(edge, 'security.token_revoked', `token ${name} revoked by ${caller.author.name}${elsewhere ? ', on this host alone' : ''}`);
    return { ok: true, value: { name, fleet, elsewhere } };
  };
  if (shared === undefined || (local && isOwn)) return revoked(null);
  if (!local) {
    if (isOwn) sureOfStore(edge);
    const done = await changeOfFleet(edge, { kind: 'token_revoke', name }, caller);
    return done.ok ? revoked(done.value) : done;
  }
  if ((await edge.fleet.cutOff()) === null)
    return refuse({
      code: 'unsafe',
      message: 'the fleet can be asked, so the token can be revoked on all hosts at once: leave --local away',
    });
  edge.tokens.refuse([shared.secretHash]);
  return revoked(null, true);
}

/** Settles when the other hosts know it, or when the time is over, with those that do not. */
async function changeOfFleet(edge: Edge, change: TokenChange, { author }: Caller): Promise<Outcome<FleetAppliedView | null>> {
  const { keeper, fleet } = edge;
  for (let tried = 0; tried < TRIES; tried += 1) {
    const outcome = applyChange(keeper.intent, change, edge.facts());
    if (!outcome.ok) return refuse({ code: outcome.refusal.kind, message: outcome.refusal.message });
    const { intent, touched, summary } = outcome;
    const done = await keeper.commit(intent, touched, { author, source: 'operator', reason: '', change, undoes: null });
    if (done.ok) {
      edge.tokens.follow(touched);
      edge.events.add('revision.made', `revision ${intent.revision} by ${author.name}: ${summary}`);
      edge.loop.recompute();
      return { ok: true, value: await fleet.served(intent.revision, FLEET_DEADLINE_MS) };
    }
    if (done.code === 'unreachable') {
      const alone = change.kind === 'token_make' ? 'To make one of this host alone' : 'To refuse it on this host until then';
      return refuse({ code: 'unreachable', message: `${done.message}. ${alone}: --local` });
    }
    await fleet.look();
  }
  return refuse({ code: 'conflict', message: 'the intent of the fleet keeps changing; try again', revision: keeper.intent.revision });
}

/** By the same rules, in the store of this host. */
function changeOfHost(edge: Edge, change: TokenChange, { nowMs }: Making): Outcome<null> {
  const { store } = edge.options;
  const own: Tokens = Object.fromEntries(store.tokens().map(({ name, ...token }) => [name, token]));
  const changed = changeTokens(own, change, { clusters: edge.config.clusters, wallMs: nowMs });
  if ('kind' in changed) return refuse({ code: changed.kind, message: changed.message });
  store.putTokens(Object.entries(changed.tokens).flatMap(([name, token]) => (token === own[name] ? [] : [{ name, ...token }])));
  edge.tokens.changed();
  return { ok: true, value: null };
}

function endOwn(edge: Edge, { cluster, othersExpireAt }: Extract<TokenChange, { kind: 'token_make' }>): void {
  const { store } = edge.options;
  if (othersExpireAt === null) return;
  const isLater = (expiresAt: string | null): boolean => expiresAt === null || Date.parse(expiresAt) > Date.parse(othersExpireAt);
  const ending = store.tokens().filter((token) => token.cluster === cluster && isLater(token.expiresAt));
  edge.keeper.keep(() => store.putTokens(ending.map((token) => ({ ...token, expiresAt: othersExpireAt }))));
  edge.tokens.changed();
}

/** Before the fleet is asked for something that this host then has to store of its own: throws when the store takes nothing. */
function sureOfStore(edge: Edge): void {
  const { store } = edge.options;
  store.putTokens(store.tokens());
}

function namesOf(edge: Edge): Tokens {
  return Object.fromEntries(edge.tokens.all().map((token) => [token.name, token]));
}

function endsOf(edge: Edge): ReadonlyMap<string, string | null> {
  return new Map(edge.tokens.all().map(({ secretHash, expiresAt }) => [secretHash, expiresAt]));
}

function endingText(ending: readonly { readonly name: string; readonly expiresAt: string | null }[]): string {
  return ending.map(({ name, expiresAt }) => `; ${name} is valid until ${expiresAt ?? ''}`).join('');
}

function takenText(name: string, isShared: boolean): string {
  return isShared
    ? `this host alone has a token named ${name}; make it one of the fleet (weir token share ${name}), revoke it, or choose another name`
    : `the fleet has a token named ${name}; choose another name`;
}

function tell({ events }: Edge, code: 'security.token_created' | 'security.token_revoked', text: string): void {
  events.add(code, text);
}

function refuse(problem: ApiProblem): Outcome<never> {
  return { ok: false, problem };
}
