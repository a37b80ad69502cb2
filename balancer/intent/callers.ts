// Callers that were added by command: a part of the intent, so that every worker of every host knows them, and history tells who let whom in. Pure.
import { isAddressBlock } from '../config/addresses.ts';
import type { ConsumerConfig, KeyCredential } from '../config/consumer-config.ts';
import { NAME_PATTERN } from '../config/kinds.ts';
import type { LimitConfig } from '../config/limit-config.ts';
import type { Intent, Refusal } from './intent.ts';

/** Who it is; what proves it are its keys. */
export interface StoredConsumer {
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
  readonly tags: readonly string[];
  /** Empty: it has none. */
  readonly plan: string;
}

/** Of a key only its hash is known: SHA-256 of 192 random bits, in hex, which nobody guesses. */
export interface StoredKey {
  readonly consumer: string;
  readonly hash: string;
  /** ISO 8601, UTC. */
  readonly issuedAt: string;
  /** Null: it does not end by itself. */
  readonly expiresAt: string | null;
  /** CIDR blocks; empty: from anywhere. */
  readonly from: readonly string[];
  readonly scopes: readonly string[];
}

/** By name, and by the id that may be seen; what is empty is not there. */
export interface Callers {
  readonly consumers?: Readonly<Record<string, StoredConsumer>>;
  readonly keys?: Readonly<Record<string, StoredKey>>;
}

export type CallerChange =
  | { readonly kind: 'consumer_add'; readonly consumer: string; readonly profile: StoredConsumer }
  /** What is named is as it says from then on. */
  | { readonly kind: 'consumer_set'; readonly consumer: string; readonly profile: Partial<StoredConsumer> }
  /** With all its keys. */
  | { readonly kind: 'consumer_remove'; readonly consumer: string }
  | {
      readonly kind: 'key_issue';
      readonly consumer: string;
      readonly id: string;
      readonly hash: string;
      readonly expiresAt: string | null;
      readonly from: readonly string[];
      readonly scopes: readonly string[];
      /** When the keys it has by now end, those that would end later; null: they stay. */
      readonly othersExpireAt: string | null;
    }
  | { readonly kind: 'key_revoke'; readonly consumer: string; readonly id: string };

const KINDS: ReadonlySet<string> = new Set<CallerChange['kind']>([
  'consumer_add',
  'consumer_set',
  'consumer_remove',
  'key_issue',
  'key_revoke',
]);

export const isCallerChange = ({ kind }: { readonly kind: string }): boolean => KINDS.has(kind);

/** What callers of the config are held against. */
export interface CallerFacts {
  readonly consumers?: Readonly<Record<string, Pick<ConsumerConfig, 'name' | 'keys'>>>;
  /** Plans are named by the limits that they say something of. */
  readonly limits?: Readonly<Record<string, Pick<LimitConfig, 'ofPlans'>>>;
  readonly wallMs?: number;
}

export const NO_CALLERS: Callers = {};
/** The first part of paths. */
export const CALLERS = 'callers';
/** All of them go to every worker with every whole plan. More belong into the config, which takes any number. */
const MOST_CONSUMERS = 2000;
/** So that a caller can change from one to the other. */
const MOST_LIVE_KEYS = 2;
const WORD = new RegExp(NAME_PATTERN);
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/;
const KEY_ID = /^[A-Za-z0-9]+_[A-Za-z0-9]+$/;
const KEY_HASH = /^[0-9a-f]{64}$/;
const MOST_WORDS = 100;

type Changed = { readonly callers: Callers; readonly summary: string } | Refusal;

export function changeCallers(intent: Pick<Intent, 'callers'>, change: CallerChange, facts: CallerFacts): Changed {
  const { callers = NO_CALLERS } = intent;
  const { consumer } = change;
  if (change.kind === 'consumer_add') return added(callers, change, facts);
  const declared = facts.consumers?.[consumer] !== undefined;
  const known = callers.consumers?.[consumer];
  // One that the config has come to declare can still be taken out of the store.
  if (known === undefined || (declared && change.kind !== 'consumer_remove' && change.kind !== 'key_revoke'))
    return declared ? ofConfig(consumer) : unknown(consumer, callers);
  switch (change.kind) {
    case 'consumer_set': {
      const profile = { ...known, ...change.profile };
      const problem = profileProblem(profile, facts);
      if (problem !== null) return usage(problem);
      return {
        callers: { ...callers, consumers: { ...callers.consumers, [consumer]: profile } },
        summary: `consumer ${consumer}: ${profileText(profile)}`,
      };
    }
    case 'consumer_remove':
      return removed(callers, consumer);
    case 'key_issue':
      return issued(callers, change, facts);
    case 'key_revoke':
      return revoked(callers, change);
  }
}

function added(callers: Callers, { consumer, profile }: Extract<CallerChange, { kind: 'consumer_add' }>, facts: CallerFacts): Changed {
  if (!WORD.test(consumer)) return usage(`"${consumer}" is no name; expected lower-case letters, digits and -, at most 63`);
  if (facts.consumers?.[consumer] !== undefined) return ofConfig(consumer);
  if (callers.consumers?.[consumer] !== undefined)
    return { kind: 'conflict', message: `there is a consumer "${consumer}" already; to change it: weir consumer set ${consumer} …` };
  if (Object.keys(callers.consumers ?? {}).length >= MOST_CONSUMERS)
    return usage(`${MOST_CONSUMERS} consumers are stored, and no more can be; the config takes any number, under consumers`);
  const problem = profileProblem(profile, facts);
  if (problem !== null) return usage(problem);
  return {
    callers: { ...callers, consumers: { ...callers.consumers, [consumer]: profile } },
    summary: `consumer ${consumer}: added, ${profileText(profile)}`,
  };
}

function removed(callers: Callers, consumer: string): Changed {
  const consumers = Object.fromEntries(Object.entries(callers.consumers ?? {}).filter(([name]) => name !== consumer));
  const keys = Object.entries(callers.keys ?? {});
  const left = keys.filter(([, key]) => key.consumer !== consumer);
  const lost = keys.length - left.length;
  return {
    callers: withoutEmpty({ consumers, keys: Object.fromEntries(left) }),
    summary: `consumer ${consumer}: removed${lost === 0 ? '' : `, with ${lost} ${lost === 1 ? 'key' : 'keys'}`}`,
  };
}

function issued(callers: Callers, change: Extract<CallerChange, { kind: 'key_issue' }>, facts: CallerFacts): Changed {
  const { consumer, id, hash, expiresAt, from, scopes, othersExpireAt } = change;
  const wallMs = facts.wallMs ?? 0;
  const problem = keyProblem(change, wallMs);
  if (problem !== null) return usage(problem);
  const isTaken =
    callers.keys?.[id] !== undefined || Object.values(facts.consumers ?? {}).some(({ keys }) => keys.some((key) => key.id === id));
  if (isTaken) return { kind: 'conflict', message: `there is a key ${id} already; make another one` };
  const own = Object.entries(callers.keys ?? {}).filter(([, key]) => key.consumer === consumer);
  const live = own.filter(([, key]) => !isOver(key, wallMs));
  if (live.length >= MOST_LIVE_KEYS)
    return usage(
      `consumer "${consumer}" has ${live.length} keys that hold, ${live.map(([one]) => one).join(' and ')}; revoke the one that is not used any more: weir consumer credential revoke ${consumer} ID`,
    );
  const others = Object.entries(callers.keys ?? {}).filter(
    ([one, key]) => key.consumer !== consumer || live.some(([name]) => name === one),
  );
  const ending = others.map(([one, key]): readonly [string, StoredKey] => [
    one,
    key.consumer === consumer ? endingBy(key, othersExpireAt) : key,
  ]);
  const key: StoredKey = { consumer, hash, issuedAt: new Date(wallMs).toISOString(), expiresAt, from, scopes };
  const until = expiresAt === null ? '' : `, until ${expiresAt}`;
  return {
    callers: { ...callers, keys: { ...Object.fromEntries(ending), [id]: key } },
    summary: `consumer ${consumer}: key ${id} issued${until}`,
  };
}

function revoked(callers: Callers, { consumer, id }: Extract<CallerChange, { kind: 'key_revoke' }>): Changed {
  const { [id]: key, ...keys } = callers.keys ?? {};
  if (key?.consumer !== consumer) {
    const own = Object.entries(callers.keys ?? {}).filter(([, one]) => one.consumer === consumer);
    return {
      kind: 'not_found',
      message: `consumer "${consumer}" has no key ${id} in the store; it has ${own.map(([one]) => one).join(', ') || 'none'}`,
    };
  }
  return { callers: withoutEmpty({ ...callers, keys }), summary: `consumer ${consumer}: key ${id} revoked` };
}

const isOver = ({ expiresAt }: StoredKey, wallMs: number): boolean => expiresAt !== null && Date.parse(expiresAt) <= wallMs;

function endingBy(key: StoredKey, at: string | null): StoredKey {
  if (at === null || (key.expiresAt !== null && Date.parse(key.expiresAt) <= Date.parse(at))) return key;
  return { ...key, expiresAt: at };
}

function profileProblem({ groups, scopes, tags, plan }: StoredConsumer, { limits = {} }: CallerFacts): string | null {
  const plans = new Set(Object.values(limits).flatMap(({ ofPlans }) => Object.keys(ofPlans)));
  const word = [...groups, ...tags].find((one) => !WORD.test(one));
  if (word !== undefined) return `"${word}" is no name of a group or a tag; expected lower-case letters, digits and -`;
  if (Math.max(groups.length, scopes.length, tags.length) > MOST_WORDS)
    return `a consumer has at most ${MOST_WORDS} groups, scopes and tags each`;
  if (plan !== '' && !plans.has(plan))
    return `plan "${plan}" is not declared in the config; expected one of plans: ${[...plans].join(', ') || 'none yet'}`;
  return scopesProblem(scopes);
}

function scopesProblem(scopes: readonly string[]): string | null {
  const scope = scopes.find((one) => !SCOPE.test(one));
  return scope === undefined ? null : `"${scope}" is no scope; expected visible characters without quotes and backslashes`;
}

function keyProblem(
  { id, hash, expiresAt, from, scopes, othersExpireAt }: Extract<CallerChange, { kind: 'key_issue' }>,
  wallMs: number,
): string | null {
  if (!KEY_ID.test(id) || id.length > 100) return 'the id of a key is the part before its dot, such as acme_7f3a9c01be22';
  if (!KEY_HASH.test(hash)) return 'the hash of a key is SHA-256 in 64 hexadecimal digits; the key itself is never sent';
  const block = from.find((one) => !isAddressBlock(one));
  if (block !== undefined) return `"${block}" is no block of addresses; expected for example 203.0.113.0/24`;
  for (const at of [expiresAt, othersExpireAt])
    if (at !== null && !(Date.parse(at) > wallMs)) return `${at} has passed, or is no time; expected a later one`;
  return Math.max(from.length, scopes.length) > MOST_WORDS
    ? `a key has at most ${MOST_WORDS} blocks and scopes each`
    : scopesProblem(scopes);
}

function profileText({ groups, scopes, tags, plan }: StoredConsumer): string {
  const parts = Object.entries({ groups, scopes, tags, plan: plan === '' ? [] : [plan] }).filter(([, words]) => words.length > 0);
  return parts.length === 0 ? 'in no group, without scopes' : parts.map(([what, words]) => `${what} ${words.join(' ')}`).join(', ');
}

const ofConfig = (consumer: string): Refusal => ({
  kind: 'conflict',
  message: `consumer "${consumer}" is declared in the config, which holds; change it there, or take it out and add it here`,
});

function unknown(consumer: string, { consumers = {} }: Callers): Refusal {
  const names = Object.keys(consumers);
  return {
    kind: 'not_found',
    message: `there is no consumer "${consumer}" in the store, which has ${names.slice(0, 20).join(', ') || 'none'}; to add it: weir consumer add ${consumer}`,
  };
}

const usage = (message: string): Refusal => ({ kind: 'usage', message });

/** As a patch of a record leaves it too: what is empty is not there. */
export function withoutEmpty({ consumers = {}, keys = {} }: Callers): Callers {
  return { ...(Object.keys(consumers).length === 0 ? {} : { consumers }), ...(Object.keys(keys).length === 0 ? {} : { keys }) };
}

export const callersPart = (callers: Callers | undefined): Pick<Intent, 'callers'> =>
  callers === undefined || Object.keys(callers).length === 0 ? {} : { callers };

/** As consumers of the config are told. Those that the config declares too are left out. */
export function storedConsumers({ consumers = {}, keys = {} }: Callers, isDeclared: (name: string) => boolean): readonly ConsumerConfig[] {
  const keysOf = new Map<string, KeyCredential[]>();
  for (const [id, { consumer, hash, expiresAt, from, scopes }] of Object.entries(keys)) {
    const own = keysOf.get(consumer) ?? [];
    own.push({ id, hash, expiresMs: expiresAt === null ? null : Date.parse(expiresAt), from, scopes });
    keysOf.set(consumer, own);
  }
  return Object.entries(consumers)
    .filter(([name]) => !isDeclared(name))
    .map(([name, { groups, scopes, tags, plan }]) => ({
      ...{ name, groups, scopes, tags, plan, keys: keysOf.get(name) ?? [] },
      ...{ passwords: [], signingKeys: [], subjects: [], certificates: [] },
    }));
}

/** The fields of an intent that an undo puts back as they were; what was revoked or removed is none of them. */
export function restoredCallers(
  now: Callers | undefined,
  then: Callers | undefined,
  isChosen: (...path: readonly string[]) => boolean,
): Callers {
  const part = <T>(
    name: 'consumers' | 'keys',
    present: Readonly<Record<string, T>> = {},
    before: Readonly<Record<string, T>> = {},
  ): Record<string, T> =>
    Object.fromEntries([
      ...Object.entries(present).filter(([key]) => !isChosen(CALLERS, name, key)),
      ...Object.entries(before).filter(([key]) => isChosen(CALLERS, name, key)),
    ]);
  const consumers = part('consumers', now?.consumers, then?.consumers);
  const keys = Object.entries(part('keys', now?.keys, then?.keys)).filter(([, { consumer }]) => consumers[consumer] !== undefined);
  return withoutEmpty({ consumers, keys: Object.fromEntries(keys) });
}
