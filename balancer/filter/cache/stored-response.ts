// A response as it is stored: complete, with what it was the answer to and how long it holds.
import type { Fields } from '../../message/fields.ts';
import type { StaleTimes } from './stale-rules.ts';

export interface StoredResponse {
  readonly uri: string;
  readonly partition: string;
  /** Names of fields of the request, and what the one that was answered said. */
  readonly varies: readonly string[];
  readonly values: readonly string[];
  readonly status: number;
  readonly fields: Readonly<Fields>;
  /** All of it, in memory of its own. */
  readonly body: Buffer;
  readonly lifetimeMs: number;
  /** On the monotonic clock: when it was made, as far as that is known. */
  readonly bornMs: number;
  readonly stale: StaleTimes;
  /** By what names it can be purged. */
  readonly tags: readonly string[];
  /** Since its store passed it over when it looked for room. */
  wasFound?: boolean;
  /** The fields of the last answer that was all of it: what they were made of, and what they say of it. */
  whole?: {
    readonly of: Readonly<Fields>;
    readonly said: { readonly ageS: number; readonly status: string };
    readonly fields: Readonly<Fields>;
  };
}

/** What a response costs besides its texts and its body: the objects that hold it. */
const OBJECT_BYTES = 512;
/** Fields are kept as they came, as they are sent with what is told of them, and as lines. */
const FIELDS_FACTOR = 3;
/** What finds it by one of its tags. */
const TAG_BYTES = 64;

export function sizeOf({ uri, partition, values, fields, tags, body }: StoredResponse): number {
  let characters = uri.length + partition.length;
  for (const text of fields) characters += text.length * FIELDS_FACTOR;
  for (const text of values) characters += text.length;
  for (const text of tags) characters += text.length + TAG_BYTES;
  return OBJECT_BYTES + characters + body.length;
}
