// Drills that begin by themselves, and what ends one early.

export interface DrillConfig {
  readonly cluster: string;
  readonly act: 'drain' | 'dial';
  /** What a dial is set to; 0 for a drain. */
  readonly percent: number;
  readonly forMs: number;
  /** As people write them: `errors>0.1%`. */
  readonly abortIf: readonly string[];
  /** As in cron: it begins in every minute that is named. */
  readonly when: string;
  readonly timeZone: string;
}

/** What ends a drill early: more errors than a part of the requests, or a quantile above a time or so many times what it was before. */
export type AbortCondition =
  | { readonly kind: 'errors'; readonly text: string; readonly ratio: number }
  | {
      readonly kind: 'latency';
      readonly text: string;
      readonly quantile: 50 | 95 | 99;
      readonly limitMs: number | null;
      readonly factor: number;
    };

export const ABORT_FORMS = 'errors>0.1%, p95>300ms, p99>1.5x';

/** Null: that is no condition. */
export function parseAbortCondition(text: string): AbortCondition | null {
  const part = Number(/^errors>(\d+(?:\.\d+)?)%$/.exec(text)?.[1] ?? Number.NaN);
  if (part >= 0 && part < 100) return { kind: 'errors', text, ratio: part / 100 };
  const [, of, amount, unit] = /^p(50|95|99)>(\d+(?:\.\d+)?)(ms|s|x)$/.exec(text) ?? [];
  const figure = Number(amount);
  if (of === undefined || !(figure > 0)) return null;
  const quantile = of === '50' ? 50 : of === '95' ? 95 : 99;
  if (unit === 'x') return figure > 1 && figure <= 100 ? { kind: 'latency', text, quantile, limitMs: null, factor: figure } : null;
  return { kind: 'latency', text, quantile, limitMs: unit === 's' ? figure * 1000 : figure, factor: 0 };
}
