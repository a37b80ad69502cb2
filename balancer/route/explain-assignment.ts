// A rule that goes before the split, in words. Pure.
import type { AssignRule, BucketConfig } from '../config/assign-config.ts';
import { hash32, keyPoint } from '../message/key-hash.ts';
import { requestKey, type Keyed } from '../message/request-key.ts';
import { conditionText } from './explain-route.ts';

/** 0 to 1: where the key of a request is in the line of all users; null: the rule has no bucket, or the request no key. */
export function bucketPoint({ bucket }: AssignRule, request: Keyed): number | null {
  const key = bucket === null ? null : requestKey(bucket.key, request);
  return bucket === null || key === null ? null : keyPoint(hash32(bucket.salt, 0), key);
}

/** For people. */
export function assignText({ headers, query, cookies, bucket }: AssignRule): string {
  const percent = (part: number): string => `${Number((part * 100).toFixed(4))}%`;
  return [
    ...headers.map((field) => `header field ${conditionText(field)}`),
    ...query.map((parameter) => `query parameter ${conditionText(parameter)}`),
    ...cookies.map((cookie) => `cookie ${conditionText(cookie)}`),
    ...(bucket === null ? [] : [`bucket ${percent(bucket.from)} to ${percent(bucket.upTo)} of ${keyText(bucket.key)}`]),
  ].join(', ');
}

function keyText(key: BucketConfig['key']): string {
  return key.kind === 'address' ? 'addresses' : `${key.kind}:${key.name}`;
}
