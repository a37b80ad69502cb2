// Drills: a cluster is taken out on purpose, for a time, while everything is watched. The change is a timed one of the intent, so that the cluster comes
// back whatever becomes of the controller; the report is in the store, so that the next controller goes on with it.
import { isWithin } from '../../config/cron.ts';
import { MILLION } from '../../config/config.ts';
import type { Applied } from '../../intent/apply-change.ts';
import { applyTimed, endOverride } from '../../intent/timed-change.ts';
import type { DrillRequest } from '../api/views.ts';
import type { Caller, Outcome } from '../appliance.ts';
import { BREAK_GLASS, passGate, type Approved, type Passed } from '../approval/gate.ts';
import { basisOf } from '../approval/pending.ts';
import { servicesTouched } from '../approval/rule.ts';
import { clusterShares } from '../cluster-shares.ts';
import { changeOfDrill, unfitDrill } from '../drill/fit.ts';
import { lately, servicesBefore, sharesNow, withSeconds } from '../drill/measure.ts';
import { decodeReports, drillText, type DrillReport, type Ending } from '../drill/report.ts';
import { DrillWatch, type Lately } from '../drill/watch.ts';
import type { CommitOutcome } from '../intent-keeper.ts';
import type { Edge } from '../edge.ts';
import { fleetWallMs } from '../fleet/fleet-time.ts';
import { forecastOf } from '../forecast.ts';
import { tellEndedOverrides } from './expiries.ts';

const RUNNING = 'drill';
const ENDED = 'drills';
/** Reports that are kept. */
const KEPT = 100;
/** After the end, until what it is like then is measured. */
const SETTLE_SECONDS = 5;
/** Between two writes of the report of one that runs. */
const WRITE_SECONDS = 5;
const MINUTE_MS = 60_000;
export const DEFAULT_ABORT_IF: readonly string[] = ['errors>1%'];

/** Who or what begins one. */
export type DrillAsked = { readonly by: Caller; readonly approved: Approved | null } | { readonly schedule: string };

export class DrillDriver {
  readonly #edge: Edge;
  #running: DrillReport | null;
  #ended: readonly DrillReport[];
  #watch: DrillWatch | null = null;
  #before = new Map<string, Lately>();
  /** The last second that was measured, and when the drill ended. */
  #second = 0;
  #settleUntilSecond = 0;
  #minute = 0;
  #busy = false;

  #committing = false;

  constructor(edge: Edge) {
    this.#edge = edge;
    const { store } = edge.options;
    this.#running = decodeReports(store.getValue(RUNNING))[0] ?? null;
    this.#ended = decodeReports(store.getValue(ENDED));
    if (this.#running !== null) this.#follow(this.#running);
  }

  /** Newest first. */
  reports(): readonly DrillReport[] {
    return this.#running === null ? this.#ended : [this.#running, ...this.#ended];
  }

  /** Has to run alone (`Edge.changes`). */
  async begin(request: DrillRequest, asked: DrillAsked): Promise<Outcome<DrillReport>> {
    const edge = this.#edge;
    const [by, schedule] = 'schedule' in asked ? ['schedule', asked.schedule] : [asked.by.author.name, null];
    const { keeper, config, loop } = edge;
    const unfit = unfitDrill(edge, this.#running, request);
    if (unfit !== null) return { ok: false, problem: { code: 'unsafe', message: unfit } };
    const before = keeper.intent;
    const wallMs = fleetWallMs(edge);
    const change = changeOfDrill(request);
    const facts = { ...edge.facts(), breakGlass: request.breakGlass === true };
    const outcome = applyTimed(before, change, facts, { wallMs, permanent: false });
    if (!outcome.ok) return { ok: false, problem: { code: outcome.refusal.kind, message: outcome.refusal.message } };
    const demand = edge.demand();
    const planFacts = edge.planFacts(outcome.intent);
    const [now, then] = [loop.planned, loop.preview(planFacts)];
    const { lostRps } = forecastOf(now, then, planFacts);
    if (lostRps.after > lostRps.before + LEAST_RPS && request.breakGlass !== true)
      return refusedFor(
        `${Math.round(lostRps.after * 10) / 10} requests a second would find no place; --break-glass begins it all the same`,
      );
    // A schedule is a part of the config, which was reviewed.
    const passed = 'schedule' in asked ? NOT_ASKED : passDrill(edge, { ...asked, request }, outcome);
    if (!passed.ok) return passed;
    const names = Object.keys(config.clusters);
    const [sharesBefore, foretold] = [sharesNow(edge.window, names, SHARES_SECONDS), clusterShares(then.plan, demand)];
    const report: DrillReport = {
      ...{ id: outcome.intent.revision, schedule, by, cluster: request.cluster, act: request.act, percent: request.percent ?? 0 },
      abortIf: request.abortIf ?? DEFAULT_ABORT_IF,
      begunAt: new Date(wallMs).toISOString(),
      until: new Date(wallMs + request.forMs).toISOString(),
      ...{ endedAt: null, state: 'running', reasons: [], lostRpsForetold: lostRps, lostRequests: 0, seconds: 0 },
      services: servicesBefore(edge.window, Object.keys(config.services)),
      clusters: names.map((cluster) => ({
        cluster,
        shareBefore: sharesBefore.get(cluster) ?? 0,
        shareForetold: foretold.get(cluster)?.effective ?? 0,
        ...{ shareDuring: 0, shareAfter: null, requests: 0 },
      })),
    };
    // The report first: a change that nobody would know to be a drill must not be.
    this.#keep(report);
    const author = { name: 'drill', how: schedule === null ? `asked for by ${by}` : `schedule ${schedule}` };
    const cause = { author, source: 'drill' as const, reason: request.reason ?? `drill: ${drillText(report)}`, change, undoes: null };
    const rules = [...(passed.value.overruled ?? []), ...(outcome.overruled ?? [])];
    const { approvedBy } = passed.value;
    const noted = { ...(rules.length === 0 ? {} : { overruled: rules }), ...(approvedBy === undefined ? {} : { approvedBy }) };
    const committed = await this.#commits(() =>
      keeper.commit(outcome.intent, outcome.touched, { ...cause, ...noted, lease: schedule === null ? null : edge.fleet.lease }),
    );
    if (!committed.ok) {
      this.#keep(null);
      return { ok: false, problem: { code: committed.code, message: `${committed.message}; the drill has not begun` } };
    }
    this.#follow(report);
    edge.events.add('drill.news', `drill ${report.id} by ${by}: ${outcome.summary}`);
    tellEndedOverrides(edge, outcome.touched, outcome.intent.revision);
    loop.recompute();
    return { ok: true, value: report };
  }

  /** Ends it before its time; has to run alone. */
  async abort(id: number, caller: Caller): Promise<Outcome<DrillReport>> {
    const running = this.#running;
    if (running?.id !== id || running.state !== 'running')
      return { ok: false, problem: { code: 'not_found', message: `no drill ${id} is under way; weir drill list shows them` } };
    const problem = await this.#bringBack(running, { state: 'aborted', reason: `ended by ${caller.author.name}` });
    if (problem !== null) return { ok: false, problem: { code: 'unsafe', message: problem } };
    return { ok: true, value: this.#running ?? running };
  }

  /** Once a second. */
  tick(): void {
    const { clock } = this.#edge.options;
    const second = Math.floor(clock.nowMs() / 1000);
    const passed = Math.min(second - this.#second, LONG_SECONDS);
    if (this.#running !== null && passed > 0 && !this.#committing) {
      this.#second = second;
      this.#look(this.#running, passed);
    }
    const minute = Math.floor(fleetWallMs(this.#edge) / MINUTE_MS);
    if (minute !== this.#minute && this.#edge.fleet.leads) {
      this.#minute = minute;
      void this.#beginDue(minute);
    }
  }

  #look(report: DrillReport, passed: number): void {
    const edge = this.#edge;
    if (report.state === 'settling') {
      if (this.#second >= this.#settleUntilSecond) this.#finish(report);
      return;
    }
    const isHeld = edge.keeper.intent.overrides?.[String(report.id)] !== undefined;
    if (!isHeld) {
      const over = fleetWallMs(edge) >= Date.parse(report.until);
      return this.#settle(report, over ? PASSED : { state: 'aborted', reason: 'somebody changed what it had set, or it never began' });
    }
    const lost = Object.values(edge.loop.plan.services).reduce(
      (sum, { service, lost }) => sum + (((edge.demand()[service] ?? 0) * lost) / MILLION) * passed,
      0,
    );
    const measured = withSeconds({ ...report, lostRequests: report.lostRequests + lost }, edge.window, passed);
    this.#running = measured;
    if (measured.seconds % WRITE_SECONDS < passed) this.#keep(measured);
    const ending = this.#endingOf(measured);
    if (ending !== null && !this.#busy) void this.#end(measured, ending);
  }

  /** What ends it early; null: it goes on. */
  #endingOf({ cluster, services, seconds }: DrillReport): Ending | null {
    const { prober, intent, window, loop } = this.#edge;
    for (const { service } of services) {
      const said =
        this.#watch?.look(service, this.#before.get(service) ?? null, lately(window, { of: 'service', service }, seconds)) ?? null;
      if (said !== null) return { state: 'failed', reason: said };
    }
    for (const { service, lost, shed } of Object.values(loop.plan.services)) {
      if (lost > 0)
        return {
          state: 'failed',
          reason: `${service}: ${(lost / MILLION) * 100} % of its requests ${shed > 0 ? 'are too many' : 'find no place'}`,
        };
    }
    for (const [name, { state }] of Object.entries(prober.view().clusters)) {
      const isOut = name === cluster || (intent.clusters[name]?.admin ?? 'active') !== 'active';
      if (state === 'down' && !isOut) return { state: 'aborted', reason: `cluster ${name} is down` };
    }
    return null;
  }

  async #end(report: DrillReport, ending: Ending): Promise<void> {
    this.#busy = true;
    try {
      await this.#edge.changes.run(async () => {
        if (this.#running?.id === report.id && this.#running.state === 'running') await this.#bringBack(this.#running, ending);
      });
    } finally {
      this.#busy = false;
    }
  }

  /** Null: done. Else why the cluster cannot come back now; it is tried again every second. */
  async #bringBack(report: DrillReport, ending: Ending): Promise<string | null> {
    const { keeper, events, loop } = this.#edge;
    const outcome = endOverride(keeper.intent, report.id, this.#edge.facts());
    if (!outcome.ok) return outcome.refusal.message;
    const author = { name: 'drill', how: `drill ${report.id}` };
    const change = { kind: 'expire' as const, revision: report.id };
    const cause = { author, source: 'drill' as const, reason: ending.reason, change, undoes: report.id };
    const committed = await this.#commits(() => keeper.commit(outcome.intent, outcome.touched, cause));
    if (!committed.ok) return committed.message;
    events.add('drill.news', `revision ${outcome.intent.revision}: drill ${report.id} is over: ${ending.reason}`);
    this.#settle(report, ending);
    loop.recompute();
    return null;
  }

  /** What the fleet has not confirmed yet is no sign that somebody else has changed it. */
  async #commits(commit: () => Promise<CommitOutcome>): Promise<CommitOutcome> {
    this.#committing = true;
    try {
      return await commit();
    } finally {
      this.#committing = false;
    }
  }

  #settle(report: DrillReport, { state, reason }: Ending): void {
    const { clock } = this.#edge.options;
    this.#settleUntilSecond = Math.floor(clock.nowMs() / 1000) + SETTLE_SECONDS;
    // The grade stands first among the reasons until what it is like afterwards is measured.
    this.#keep({ ...report, state: 'settling', endedAt: new Date(clock.wallMs()).toISOString(), reasons: [state, reason] });
  }

  #finish(report: DrillReport): void {
    const { window, events } = this.#edge;
    const after = sharesNow(
      window,
      report.clusters.map(({ cluster }) => cluster),
      SETTLE_SECONDS,
    );
    const [grade = 'aborted', ...reasons] = report.reasons;
    const state = grade === 'passed' || grade === 'failed' ? grade : 'aborted';
    const clusters = report.clusters.map((cluster) => ({ ...cluster, shareAfter: after.get(cluster.cluster) ?? 0 }));
    const missed = clusters
      .filter(({ shareForetold, shareDuring, requests }) => requests > 0 && Math.abs(shareForetold - shareDuring) > MISSED)
      .map(
        ({ cluster, shareForetold, shareDuring }) =>
          `${cluster} had ${percent(shareDuring)} of the requests, foretold were ${percent(shareForetold)}`,
      );
    this.#archive({ ...report, clusters, state, reasons: [...reasons, ...missed] });
    events.add('drill.news', `drill ${report.id} ${state}: ${drillText(report)}: ${reasons.join('; ')}`);
  }

  async #beginDue(minute: number): Promise<void> {
    const { config, changes, options } = this.#edge;
    for (const [name, drill] of Object.entries(config.drills)) {
      const had = this.reports().some(
        ({ schedule, begunAt }) => schedule === name && Math.floor(Date.parse(begunAt) / MINUTE_MS) === minute,
      );
      if (had || !isWithin(drill.when, drill.timeZone, fleetWallMs(this.#edge))) continue;
      try {
        await changes.run(async () => {
          // The lead may have gone while this waited for its turn.
          if (!this.#edge.fleet.leads) return;
          const begun = await this.begin({ ...drill, reason: `scheduled as ${name}` }, { schedule: name });
          if (!begun.ok) this.#refuse(name, drill, begun.problem.message);
        });
      } catch (error) {
        options.log.error({ problem: String(error) }, 'a drill cannot begin');
      }
    }
  }

  #refuse(
    schedule: string,
    { cluster, act, percent, abortIf }: Pick<DrillReport, 'cluster' | 'act' | 'percent' | 'abortIf'>,
    why: string,
  ): void {
    const at = new Date(fleetWallMs(this.#edge)).toISOString();
    const revision = this.#edge.keeper.intent.revision;
    const others = this.#ended.filter(({ id }) => Math.floor(id) === revision && id !== revision).length;
    this.#edge.events.add('drill.news', `drill ${schedule} does not begin: ${why}`);
    const empty = { services: [], clusters: [], lostRpsForetold: { before: 0, after: 0 }, lostRequests: 0, seconds: 0 };
    const id = revision + (others + 1) / 1000;
    this.#ended = [
      {
        id,
        schedule,
        by: 'schedule',
        cluster,
        act,
        percent,
        abortIf,
        begunAt: at,
        until: at,
        endedAt: at,
        state: 'refused' as const,
        reasons: [why],
        ...empty,
      },
      ...this.#ended,
    ].slice(0, KEPT);
    this.#write(ENDED, this.#ended);
  }

  #follow(report: DrillReport): void {
    const { clock } = this.#edge.options;
    this.#watch = new DrillWatch(report.abortIf);
    this.#before = new Map(
      report.services.map(({ service, before }) => [service, { ...before, p50Ms: null, requests: before.rps * LONG_SECONDS }]),
    );
    this.#second = Math.floor(clock.nowMs() / 1000);
    if (report.state === 'settling') this.#settleUntilSecond = this.#second + SETTLE_SECONDS;
  }

  #keep(report: DrillReport | null): void {
    this.#running = report;
    this.#write(RUNNING, report === null ? [] : [report]);
  }

  /** The list first: a controller that is killed in between has it twice, and finishes it again, rather than not at all. */
  #archive(report: DrillReport): void {
    this.#ended = [report, ...this.#ended.filter(({ id }) => id !== report.id)].slice(0, KEPT);
    this.#write(ENDED, this.#ended);
    this.#keep(null);
  }

  #write(key: string, reports: readonly DrillReport[]): void {
    const { store, log } = this.#edge.options;
    try {
      store.putValue(key, JSON.stringify(reports));
    } catch (error) {
      // What is known in memory goes on; the cluster comes back by the intent.
      log.error({ problem: error instanceof Error ? error.message : String(error) }, 'the report of a drill cannot be stored');
    }
  }
}

const LONG_SECONDS = 60;
/** Shares as they are just before: an older change is not the drill's. */
const SHARES_SECONDS = 10;
const LEAST_RPS = 0.01;
/** Shares that differ by less were foretold. */
const MISSED = 0.1;
const PASSED: Ending = { state: 'passed', reason: 'it lasted its whole time, and no condition was met' };

const NOT_ASKED: Outcome<Passed> = { ok: true, value: {} };

function passDrill(
  edge: Edge,
  { by, approved, request }: { readonly by: Caller; readonly approved: Approved | null; readonly request: DrillRequest },
  { touched, summary }: Applied,
): Outcome<Passed> {
  return passGate(edge, {
    ...{ caller: by, approved, services: servicesTouched(touched, edge.config), emergency: BREAK_GLASS },
    waiting: { kind: 'drill', request },
    summary: `drill: ${summary}`,
    reason: request.reason ?? '',
    basis: basisOf({ touched, undoes: null, config: null }),
    breakGlass: request.breakGlass === true,
  });
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}

function refusedFor(message: string): Outcome<never> {
  return { ok: false, problem: { code: 'unsafe', message } };
}
