// Which rule of a service takes a request before the split: header fields, query parameters, cookies, and buckets of users.
import type { AssignRule, BucketConfig } from '../config/assign-config.ts';
import { hash32, keyPoint } from '../message/key-hash.ts';
import { cookieValue, requestKey, type Keyed } from '../message/request-key.ts';
import { combinedValue, compileTest, firstParameter, type NamedTest } from './conditions.ts';

/** No rule holds. */
export const NO_RULE = -1;

interface CompiledRule {
  readonly headers: readonly NamedTest[];
  readonly query: readonly NamedTest[];
  readonly cookies: readonly NamedTest[];
  readonly bucket: (BucketConfig & { readonly seed: number }) | null;
  /** It asks for nothing but a bucket of addresses, so it can hold for a connection whose requests nobody reads. */
  readonly ofAddresses: boolean;
}

export class Assignment {
  readonly #rules: readonly CompiledRule[];

  constructor(rules: readonly AssignRule[]) {
    this.#rules = rules.map(compile);
  }

  /** The index of the first rule that holds; NO_RULE: none does. */
  match(request: Keyed): number {
    let index = 0;
    for (const rule of this.#rules) {
      if (holds(rule, request)) return index;
      index += 1;
    }
    return NO_RULE;
  }

  /** The same for a connection that is passed through. */
  matchConnection(clientAddress: string): number {
    const known = { fields: [], query: '', clientAddress };
    return this.#rules.findIndex((rule) => rule.ofAddresses && holds(rule, known));
  }
}

function compile({ headers, query, cookies, bucket }: AssignRule): CompiledRule {
  return {
    headers: headers.map(compileTest),
    query: query.map(compileTest),
    cookies: cookies.map(compileTest),
    bucket: bucket === null ? null : { ...bucket, seed: hash32(bucket.salt, 0) },
    ofAddresses: bucket?.key.kind === 'address' && headers.length + query.length + cookies.length === 0,
  };
}

function holds({ headers, query, cookies, bucket }: CompiledRule, request: Keyed): boolean {
  for (const { name, test } of headers) if (!test(combinedValue(request.fields, name))) return false;
  for (const { name, test } of query) if (!test(firstParameter(request.query, name))) return false;
  for (const { name, test } of cookies) if (!test(cookieValue(request.fields, name) ?? undefined)) return false;
  if (bucket === null) return true;
  const key = requestKey(bucket.key, request);
  if (key === null) return false;
  const point = keyPoint(bucket.seed, key);
  return point >= bucket.from && point < bucket.upTo;
}
