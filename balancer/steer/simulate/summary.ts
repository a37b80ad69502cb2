// What many runs of one scenario came to, in figures and in words.
import { MILLION } from '../../config/config.ts';
import type { Outcome } from './simulate.ts';

export interface Spread {
  readonly mean: number;
  /** The worst run. */
  readonly most: number;
}

export interface Summary {
  readonly runs: number;
  /** Of one run, in the mean. */
  readonly requests: number;
  /** Parts of the requests, 0 to 1. */
  readonly failed: Spread;
  readonly refused: Spread;
  readonly lost: Spread;
  /** Highest load of a cluster as a part of what it can take, by plan and as it came. */
  readonly plannedLoad: Spread;
  readonly observedLoad: Spread;
  /** Times that a host took a cluster out of use or back. */
  readonly transitions: Spread;
  /** By target, 0 to 1: least and most over all runs and hosts. */
  readonly shares: Readonly<Record<string, { readonly least: number; readonly most: number }>>;
}

export function summarise(outcomes: readonly Outcome[]): Summary {
  const spread = (of: (outcome: Outcome) => number): Spread => {
    const figures = outcomes.map(of);
    return { mean: figures.reduce((sum, figure) => sum + figure, 0) / Math.max(1, figures.length), most: Math.max(0, ...figures) };
  };
  const part = (of: (outcome: Outcome) => number): Spread =>
    spread((outcome) => (outcome.requests === 0 ? 0 : of(outcome) / outcome.requests));
  const keys = [...new Set(outcomes.flatMap(({ shares }) => Object.keys(shares)))];
  return {
    runs: outcomes.length,
    requests: Math.round(spread(({ requests }) => requests).mean),
    failed: part(({ failed }) => failed),
    refused: part(({ refused }) => refused),
    lost: part(({ lost }) => lost),
    plannedLoad: spread(({ plannedLoad }) => plannedLoad),
    observedLoad: spread(({ observedLoad }) => observedLoad),
    transitions: spread(({ transitions }) => transitions),
    shares: Object.fromEntries(
      keys.map((key) => [
        key,
        {
          least: Math.min(...outcomes.map(({ shares }) => shares[key]?.least ?? MILLION)) / MILLION,
          most: Math.max(...outcomes.map(({ shares }) => shares[key]?.most ?? 0)) / MILLION,
        },
      ]),
    ),
  };
}

/** One figure a line, for people. */
export function summaryText(summary: Summary): string {
  const percent = (value: number): string => `${(100 * value).toFixed(2)} %`;
  const parts = ({ mean, most }: Spread): string => `${percent(mean)} (worst run ${percent(most)})`;
  const lines: readonly (readonly [string, string])[] = [
    ['requests a run', String(summary.requests)],
    ['failed', parts(summary.failed)],
    ['refused as overload', parts(summary.refused)],
    ['lost', parts(summary.lost)],
    ['highest load by plan', parts(summary.plannedLoad)],
    ['highest load of a second', parts(summary.observedLoad)],
    ['cluster out of use or back', `${summary.transitions.mean.toFixed(1)} times (worst run ${summary.transitions.most})`],
    ...Object.entries(summary.shares).map(([key, { least, most }]): [string, string] => [
      `share of ${key}`,
      `${percent(least)} to ${percent(most)}`,
    ]),
  ];
  const width = Math.max(...lines.map(([title]) => title.length));
  return `${summary.runs} runs\n${lines.map(([title, text]) => `${title.padEnd(width)}  ${text}\n`).join('')}`;
}
