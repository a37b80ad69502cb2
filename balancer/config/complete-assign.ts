// Rules of a service that go before its split → rules of the config.
import type { AssignRule, BucketConfig } from './assign-config.ts';
import { keySource } from './complete-cluster.ts';
import { completeConditions, completeHeaders } from './complete-match.ts';
import type { Completion } from './completion.ts';
import type { ValuePath } from './problems.ts';
import { percentRatio } from './quantities.ts';
import type { ServiceFile } from './schema-fleet.ts';

type RuleFile = ServiceFile['assign'][number];
type BucketFile = NonNullable<RuleFile['match']['bucket']>;

interface Place {
  readonly path: ValuePath;
  readonly completion: Completion;
}

/** `unknown`: what is wrong with the name of a version; null: nothing. */
export function completeAssign(
  service: string,
  files: readonly RuleFile[],
  { path, completion }: Place,
  unknown: (version: string) => string | null,
): readonly AssignRule[] {
  return files.map(({ to, match }, index): AssignRule => {
    const at = [...path, index];
    const problem = unknown(to);
    if (problem !== null) completion.report([...at, 'to'], problem);
    return {
      to,
      headers: completeHeaders(match.headers, [...at, 'match', 'headers'], completion),
      query: completeConditions(match.query),
      cookies: completeConditions(match.cookies),
      bucket: match.bucket === undefined ? null : completeBucket(service, match.bucket, { path: [...at, 'match', 'bucket'], completion }),
    };
  });
}

function completeBucket(service: string, { key, salt, ...file }: BucketFile, { path, completion }: Place): BucketConfig {
  const [from, upTo] = [percentRatio(file.from), percentRatio(file.upTo)];
  if (from >= upTo && !completion.isTouched(path))
    completion.report(
      [...path, 'upTo'],
      `the bucket from ${file.from} up to ${file.upTo} holds nobody; upTo is more than from, for example 10%`,
    );
  return { key: keySource(key), salt: salt ?? `${service}-assign`, from, upTo };
}
