// What is known beforehand to move traffic: steps of rollouts, ends of timed changes, drills by schedule. Each with its time, and with the intent that
// it comes to.
import { isWithin } from '../../config/cron.ts';
import type { Intent } from '../../intent/intent.ts';
import { holdOf, isActive, type RolloutIntent } from '../../intent/rollout.ts';
import { applyTimed, endOverride } from '../../intent/timed-change.ts';
import { applyRollout } from '../../rollout/apply-rollout.ts';
import { changeOfDrill, unfitDrill } from '../drill/fit.ts';
import type { Edge } from '../edge.ts';

export interface Coming {
  /** The same on all hosts, and another one when its time is another one. */
  readonly due: string;
  /** For people. */
  readonly cause: string;
  readonly atMs: number;
  /** What would be asked for then; null: it could not come now. */
  readonly intent: () => Intent | null;
}

const MINUTE_MS = 60_000;

type Known = Pick<Edge, 'config' | 'keeper' | 'prober' | 'facts' | 'options'>;

/** What comes within a time from now, and what is due and has not come yet. */
export function coming(edge: Known, withinMs: number): readonly Coming[] {
  const untilMs = edge.options.clock.wallMs() + withinMs;
  return [...steps(edge), ...returns(edge), ...drills(edge, untilMs)].filter(({ atMs }) => atMs <= untilMs);
}

function steps(edge: Known): readonly Coming[] {
  const { intent } = edge.keeper;
  return Object.entries(intent.services).flatMap(([service, { rollout }]): readonly Coming[] => {
    if (!isActive(rollout) || rollout.phase !== 'running' || isLast(rollout)) return [];
    const atMs = Date.parse(rollout.stepAt) + holdOf(rollout);
    const { to, id, step, wave = 0, steps: all } = rollout;
    const next = step + 1 < all.length ? `step ${step + 2}` : `wave ${wave + 2}`;
    const moment = { at: new Date(edge.options.clock.wallMs()).toISOString(), note: '', usualErrorRatio: rollout.usualErrorRatio };
    return [
      {
        due: `s${id}.${wave}.${step}.${atMs.toString(36)}`,
        cause: `${next} of the rollout of ${service} to ${to}`,
        atMs,
        intent: () => {
          const outcome = applyRollout(intent, { kind: 'rollout', service, action: 'step' }, edge.facts(), moment);
          return outcome.ok ? outcome.intent : null;
        },
      },
    ];
  });
}

function isLast({ steps: all, step, waves = [], wave = 0 }: RolloutIntent): boolean {
  return step + 1 >= all.length && wave + 1 >= waves.length;
}

function returns(edge: Known): readonly Coming[] {
  const { intent } = edge.keeper;
  return Object.entries(intent.overrides ?? {}).map(([revision, { until }]) => ({
    due: `t${revision}.${Date.parse(until).toString(36)}`,
    cause: `the time of revision ${revision} is over`,
    atMs: Date.parse(until),
    intent: () => {
      const outcome = endOverride(intent, Number(revision), edge.facts());
      return outcome.ok ? outcome.intent : null;
    },
  }));
}

/** The next of each schedule. The present minute is among them: its drill may begin yet. */
function drills(edge: Known, untilMs: number): readonly Coming[] {
  const { config, keeper, options } = edge;
  const wallMs = options.clock.wallMs();
  const firstMs = Math.floor(wallMs / MINUTE_MS) * MINUTE_MS;
  return Object.entries(config.drills).flatMap(([name, drill]): readonly Coming[] => {
    for (let atMs = firstMs; atMs <= untilMs; atMs += MINUTE_MS) {
      if (!isWithin(drill.when, drill.timeZone, atMs)) continue;
      return [
        {
          due: `d${(atMs / MINUTE_MS).toString(36)}.${name}`,
          cause: `drill ${name}`,
          atMs,
          intent: () => {
            if (unfitDrill(edge, null, drill) !== null) return null;
            const outcome = applyTimed(keeper.intent, changeOfDrill(drill), edge.facts(), { wallMs, permanent: false });
            return outcome.ok ? outcome.intent : null;
          },
        },
      ];
    }
    return [];
  });
}
