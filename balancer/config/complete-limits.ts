// Limits and plans of the file → limits of the config.
import type { Completion } from './completion.ts';
import type { CalendarWindow, LimitConfig } from './limit-config.ts';
import { longestMs } from './limit-window.ts';
import { readLimitKey } from './limit-key.ts';
import type { ValuePath } from './problems.ts';
import { durationMs } from './quantities.ts';
import type { LimitsFile, PlansFile } from './schema-limits.ts';

const LEAST_WINDOW_MS = 1000;
const MOST_WINDOW_MS = 86_400_000;
const USUAL_WINDOW = '1m';

type LimitFile = LimitsFile[string];

/** Of one limit. */
type Report = (key: string, message: string) => void;

/** By name. */
export function completeLimits(
  { limits, plans }: { readonly limits: LimitsFile; readonly plans: PlansFile },
  completion: Completion,
): Readonly<Record<string, LimitConfig>> {
  const usable = completion.usable('plans', plans);
  for (const [name, plan] of usable)
    for (const limit of Object.keys(plan.limits)) reportPlanned(limit, ['plans', name, 'limits', limit], completion);
  return Object.fromEntries(
    completion.usable('limits', limits).map(([name, file]) => {
      const ofPlans = usable.flatMap(([plan, { limits: amounts }]) => {
        const amount = Object.hasOwn(amounts, name) ? amounts[name] : undefined;
        return amount === undefined ? [] : [[plan, amount] as const];
      });
      return [name, completeLimit(name, file, Object.fromEntries(ofPlans), completion)];
    }),
  );
}

function completeLimit(name: string, file: LimitFile, ofPlans: LimitConfig['ofPlans'], completion: Completion): LimitConfig {
  const report: Report = (key, message) => completion.report(['limits', name, key], message);
  const { per = USUAL_WINDOW } = file;
  const calendar = calendarOf(per);
  const windowMs = calendar === null ? durationMs(per) : longestMs(calendar);
  if (calendar === null && (windowMs < LEAST_WINDOW_MS || windowMs > MOST_WINDOW_MS))
    report('per', `"${per}" is no window of a limit; expected 1s to 24h, or day or month for a quota`);
  if (file.burst !== undefined && file.algorithm !== 'token')
    report('burst', 'is for algorithm: token; leave it out, or write algorithm: token');
  if (file.algorithm === 'concurrency') reportAtOnce(file, report);
  if (calendar !== null) reportQuota(file, calendar, report);
  reportScope(file, report, completion);
  file.exempt.consumers.forEach((consumer, index) => {
    if (!completion.declared.consumers.has(consumer))
      completion.report(['limits', name, 'exempt', 'consumers', index], `consumer "${consumer}" is not declared under consumers`);
  });
  // A count that somebody else cannot go on with would begin anew, and a quota be used twice.
  const without = calendar === null ? 'local' : 'deny';
  return {
    name,
    by: [...new Set(file.by)].map(readLimitKey).filter((part) => part !== null),
    algorithm: file.algorithm ?? (calendar === null ? 'sliding' : 'fixed'),
    limit: file.allow,
    windowMs,
    calendar,
    ofPlans,
    plan: '',
    burst: file.burst ?? file.allow,
    onUnavailable: file.onUnavailable ?? without,
    fleet: file.scope === 'fleet' ? { mode: file.mode ?? 'lease', onStoreError: file.onStoreError ?? without } : null,
    shadow: file.shadow,
    exemptConsumers: file.exempt.consumers,
    exemptAddresses: file.exempt.addresses,
    headers: file.headers,
  };
}

const calendarOf = (per: string): CalendarWindow | null => (per === 'day' || per === 'month' ? per : null);

function reportAtOnce({ per, scope }: LimitFile, report: Report): void {
  if (per !== undefined) report('per', 'requests at once have no window; leave it out, or leave algorithm: concurrency out');
  if (scope === 'fleet')
    report('scope', 'requests at once are counted by each host alone; leave it out, and allow what one host of the fleet may have');
}

function reportQuota({ algorithm, onUnavailable, onStoreError }: LimitFile, calendar: CalendarWindow, report: Report): void {
  if (algorithm === 'sliding' || algorithm === 'token')
    report(
      'algorithm',
      `a quota counts each ${calendar} of the calendar from its beginning, so ${algorithm} is not for per: ${calendar}; leave it out, or write a window of up to 24h`,
    );
  for (const [key, value] of Object.entries({ onUnavailable, onStoreError }))
    if (value === 'local')
      report(key, 'a quota that somebody counts alone would begin anew and could be used twice; expected deny (503) or allow (all pass)');
}

function reportScope({ scope, mode, onStoreError, algorithm }: LimitFile, report: Report, completion: Completion): void {
  if (scope === 'fleet') {
    if (!completion.declared.hasRedis && algorithm !== 'concurrency')
      report(
        'scope',
        'all hosts count together in Redis, and this host has none; name it under state.redis (see fleet.md), or write scope: host for a limit of each host',
      );
    return;
  }
  for (const [key, value] of Object.entries({ mode, onStoreError }))
    if (value !== undefined) report(key, 'is for scope: fleet; leave it out, or write scope: fleet');
}

function reportPlanned(name: string, path: ValuePath, completion: Completion): void {
  const declared = completion.declared.limits.get(name);
  if (declared === undefined)
    completion.reportKey(
      path,
      `limit "${name}" is not declared; expected one of limits: ${[...completion.declared.limits.keys()].join(', ') || 'none yet'}`,
    );
  else if (!declared.by.includes('consumer'))
    completion.reportKey(
      path,
      `limit "${name}" counts by ${declared.by.join(', ') || 'nothing'}, so callers of several plans would share one count; add consumer to its by`,
    );
}
