// What a client would rather have: the lists with weights of Accept and Accept-Encoding (RFC 9110 section 12.4.2).
import type { Fields } from './fields.ts';

export interface Preference {
  /** Lower case, without parameters other than the weight: `text/html`, `text/*`, `gzip`, `*`. */
  readonly range: string;
  /** 0 to 1; 0: not that. */
  readonly weight: number;
}

/** More is no list that a client means. */
const MOST_RANGES = 64;
const WEIGHT = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i;

/** Of all fields of that name together; null: there is none. Members that are malformed are left out. */
export function preferences(fields: Readonly<Fields>, name: string): readonly Preference[] | null {
  let text: string | null = null;
  for (let i = 0; i < fields.length; i += 2)
    if (fields[i] === name) text = text === null ? (fields[i + 1] ?? '') : `${text},${fields[i + 1] ?? ''}`;
  return text === null ? null : text.split(',', MOST_RANGES).flatMap((member) => readPreference(member) ?? []);
}

function readPreference(member: string): Preference | null {
  const [range = '', ...parameters] = member.split(';').map((part) => part.trim());
  if (range === '') return null;
  const weight = parameters.find((parameter) => /^q\s*=/i.test(parameter));
  if (weight === undefined) return { range: range.toLowerCase(), weight: 1 };
  const [, value] = WEIGHT.exec(weight) ?? [];
  return value === undefined ? null : { range: range.toLowerCase(), weight: Number(value) };
}

/** How much a media type is wanted: 0 not at all; the weight counts first, then how exactly the type is named. */
export function mediaRank(wanted: readonly Preference[] | null, type: string): number {
  if (wanted === null) return 1;
  const [family = ''] = type.split('/');
  let exactness = 0;
  let weight = 0;
  for (const { range, weight: own } of wanted) {
    const how = range === type ? 3 : range === `${family}/*` ? 2 : range === '*/*' ? 1 : 0;
    if (how > exactness) [exactness, weight] = [how, own];
  }
  return weight === 0 ? 0 : weight * 10 + exactness;
}
