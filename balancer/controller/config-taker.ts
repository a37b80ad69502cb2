// Brings another config into service: intent first in mind only, then the workers, and only when they can serve it, the store.
import { sameJson } from '../config/canonical-json.ts';
import type { Config } from '../config/config.ts';
import { diffConfig } from '../config/diff.ts';
import { CONFIG_PATH, type Author, type TouchedField } from '../intent/intent.ts';
import { seedIntent, type Seeding } from '../intent/seed.ts';
import { StoreTakesNothingError, nothingChanged, type ServedConfig } from '../store/store.ts';
import type { ApiProblem } from './api/views.ts';
import type { Caller, ConfigApplyResult, Outcome } from './appliance.ts';
import { passGate, type Approved, type Passed } from './approval/gate.ts';
import { basisOf } from './approval/pending.ts';
import { servicesReconfigured, servicesTouched } from './approval/rule.ts';
import { PROBATION_MS } from './config-watch.ts';
import { FLEET_CONFIG, type ConfigText, type SharedConfig } from './config-source.ts';
import { tellEndedOverrides } from './driver/expiries.ts';
import type { Edge } from './edge.ts';
import { fleetWallMs } from './fleet/fleet-time.ts';
import type { CommitOutcome } from './intent-keeper.ts';

/** For workers to build a generation and to open its listeners. */
const SERVE_DEADLINE_MS = 5000;

export interface TakeOptions {
  readonly author: Author;
  readonly dryRun: boolean;
  /** Told when the config is in service. */
  readonly onTaken: (config: Config) => void;
  /** Through the admin API; absent: the file of the host, or what the fleet has agreed on. */
  readonly asked?: { readonly text: string; readonly caller: Caller; readonly approved: Approved | null };
}

/** Takes over `next`, or says why not and leaves everything as it was. Has to run alone (`Edge.changes`). */
export async function takeConfig(edge: Edge, next: ConfigText, options: TakeOptions): Promise<Outcome<ConfigApplyResult>> {
  const seeding = seedIntent(next.config, edge.keeper.intent, fleetWallMs(edge));
  if (seeding.problems.length > 0) {
    const problems = seeding.problems.map(({ message }) => message);
    return { ok: false, problem: { code: 'unsafe', message: 'the config takes away what has a share; the one before stays', problems } };
  }
  const { differences, needsRestart } = diffConfig(edge.config, next.config);
  const changed = next.fingerprint !== edge.served.fingerprint || seeding.touched.length > 0;
  const services =
    options.asked === undefined
      ? []
      : [...new Set([...servicesTouched(seeding.touched, edge.config), ...servicesReconfigured(edge.config, next.config)])];
  const result = (): ConfigApplyResult => ({
    revision: edge.keeper.intent.revision,
    generation: edge.generation,
    changed,
    dryRun: options.dryRun,
    differences,
    needsRestart,
    needsApproval: options.dryRun ? services : [],
    fleet: null,
  });
  if (options.dryRun) return { ok: true, value: result() };
  if (!changed) {
    const problem = keepText(edge, next);
    if (problem !== null) return { ok: false, problem };
    follow(edge, next);
    return { ok: true, value: result() };
  }
  const passed = passConfig(edge, { seeding, services, differences }, options);
  if (!passed.ok) return passed;
  const before = edge.served;
  edge.configWatch.end();
  const problem = await tryOut(edge, next, seeding);
  if (problem !== null) return { ok: false, problem: { code: 'usage', message: `${problem}; the config before stays in service` } };
  const recorded = await recordConfig(edge, next, { seeding, author: options.author, reason: differences.join('; '), ...passed.value });
  if (!recorded.ok) {
    goBack(edge, before);
    return { ok: false, problem: { code: recorded.code, message: `${recorded.message}; the config before stays in service, try again` } };
  }
  follow(edge, next);
  // A host alone has stored it with its revision.
  if (next.shared !== null) edge.keeper.keep(() => edge.options.store.putServed(servedOf(next)));
  for (const difference of differences) edge.events.add('config.changed', difference);
  edge.events.add('config.served', `generation ${edge.generation} is in service (${differences.length} differences)`);
  options.onTaken(next.config);
  edge.configWatch.begin(readyWorkers(edge), () => void edge.changes.run(() => rollBack(edge, before, options.onTaken)));
  return { ok: true, value: result() };
}

/** Every worker has ended by what is served now. A host of a fleet goes back by itself alone: what the others serve is for them to see. */
async function rollBack(edge: Edge, before: ConfigText, onTaken: (config: Config) => void): Promise<void> {
  const { clock, source } = edge.options;
  const { shared } = edge.served;
  const what = `all workers ended within ${PROBATION_MS / 1000} s of generation ${edge.generation}, so the config before is served again`;
  edge.events.add('config.rolled_back', `ALERT: ${what}`);
  // So that the file, which has what ended them, does not win at the next start.
  const applied = shared === null ? source.appliedOver(before.text, new Date(clock.wallMs()).toISOString()) : null;
  const back = applied === null ? before : { ...before, applied };
  goBack(edge, back);
  onTaken(back.config);
  edge.problem = what;
  if (shared !== null) {
    edge.configWatch.unfit = shared.fingerprint;
    return;
  }
  const seeding = seedIntent(back.config, edge.keeper.intent, fleetWallMs(edge));
  if (seeding.problems.length > 0) return;
  const recorded = await recordConfig(edge, back, { seeding, author: PROGRAM, reason: what });
  if (!recorded.ok) edge.problem = `${what}; ${recorded.message}`;
}

const PROGRAM: Author = { name: 'weir', how: 'rollback' };

function readyWorkers(edge: Edge): readonly string[] {
  return edge.links.workers().flatMap(({ name, state }) => (state === 'ready' ? [name] : []));
}

function passConfig(
  edge: Edge,
  {
    seeding,
    services,
    differences,
  }: { readonly seeding: Seeding; readonly services: readonly string[]; readonly differences: readonly string[] },
  { asked }: TakeOptions,
): Outcome<Passed> {
  if (asked === undefined) return { ok: true, value: {} };
  const { caller, approved, text } = asked;
  return passGate(edge, {
    ...{ caller, approved, services },
    waiting: { kind: 'config', text },
    summary: `another config, ${differences.length} difference${differences.length === 1 ? '' : 's'}`,
    reason: oneReason(differences.join('; ')),
    basis: basisOf({ touched: seeding.touched, undoes: null, config: edge.served.fingerprint }),
    breakGlass: false,
    emergency: 'in an emergency change the file on the host and reload it: a file is reviewed before',
  });
}

export interface ConfigRecord {
  readonly seeding: Seeding;
  readonly author: Author;
  /** What differs; empty: nothing is known of a config before. */
  readonly reason: string;
  /** The second person; absent: one was enough. */
  readonly approvedBy?: Author;
}

/** Makes the revision of a config that is in service, unless there is one that says the same. */
export async function recordConfig(
  edge: Edge,
  next: ConfigText,
  { seeding, author, reason, approvedBy }: ConfigRecord,
): Promise<CommitOutcome> {
  const { keeper } = edge;
  const { fingerprint: whole, shared } = next;
  const fingerprint = shared?.fingerprint ?? whole;
  const config: TouchedField = { path: CONFIG_PATH, before: keeper.config, after: fingerprint };
  const touched = [...seeding.touched, ...(keeper.config === fingerprint ? [] : [config])];
  if (touched.length === 0) {
    keepShared(edge, shared);
    return { ok: true };
  }
  const intent = seeding.touched.length > 0 ? seeding.intent : { ...seeding.intent, revision: seeding.intent.revision + 1 };
  const done = await keeper.commit(intent, touched, {
    author,
    source: 'config',
    reason: reason === '' ? FIRST_REASON : oneReason(reason),
    change: null,
    undoes: null,
    ...(approvedBy === undefined ? {} : { approvedBy }),
    ...(shared === null || keeper.config === fingerprint ? {} : { configText: shared }),
    ...(shared === null ? { served: servedOf(next) } : {}),
  });
  if (done.ok) {
    keepShared(edge, shared);
    edge.events.add('revision.made', `revision ${keeper.intent.revision} from the config`);
    tellEndedOverrides(edge, touched, keeper.intent.revision);
  }
  return done;
}

const FIRST_REASON = 'what the config starts with';
/** As long as a reason that an operator gives may be. */
const MAX_REASON = 500;

function oneReason(text: string): string {
  return text.length <= MAX_REASON ? text : `${text.slice(0, MAX_REASON - 1)}…`;
}

/** What the fleet has agreed on is served by this host from then on, whatever its own file says of it. */
function keepShared(edge: Edge, shared: SharedConfig | null): void {
  if (shared === null || edge.keeper.config !== shared.fingerprint) return;
  edge.keeper.keep(() => edge.options.store.putValue(FLEET_CONFIG, shared.text));
}

function servedOf({ text, applied }: ConfigText): ServedConfig {
  return { text, applied };
}

/** A text that says the same in other words. Null: it is stored, or it was before. */
function keepText(edge: Edge, next: ConfigText): ApiProblem | null {
  if (sameJson(servedOf(next), servedOf(edge.served))) return null;
  try {
    edge.options.store.putServed(servedOf(next));
    return null;
  } catch (error) {
    if (error instanceof StoreTakesNothingError) return { code: 'unreachable', message: nothingChanged(error) };
    throw error;
  }
}

function follow(edge: Edge, next: ConfigText): void {
  edge.served = next;
  edge.problem = null;
}

/** Null: the workers serve it. Otherwise the problem of the first that cannot, and all are back on the config before. */
async function tryOut(edge: Edge, next: ConfigText, seeding: Seeding): Promise<string | null> {
  const before = edge.served;
  const { promise: failed, resolve: fail } = Promise.withResolvers<string>();
  const generation = serve(edge, next, edge.generations.of(next.fingerprint));
  edge.trying = seeding.intent;
  edge.onGenerationFailed = (number, problem) => {
    if (number === generation) fail(problem);
  };
  edge.configWatch.onEnded = (worker) => fail(`worker ${worker} ended while it took the config over`);
  const serving = readyWorkers(edge);
  const plan = edge.loop.recompute();
  edge.links.sendGeneration(generation, next.config);
  const served = async (): Promise<string | null> => {
    const wanted = { generation, plan };
    const { acknowledged } = await edge.links.served(wanted, SERVE_DEADLINE_MS);
    // A host that starts has no worker yet that could try it.
    if (acknowledged > 0 || serving.length === 0) return null;
    const late = await edge.links.served(wanted, SERVE_DEADLINE_MS);
    return late.acknowledged > 0 ? null : `no worker has taken it over within ${(2 * SERVE_DEADLINE_MS) / 1000} s`;
  };
  const problem = await Promise.race([served(), failed]);
  edge.onGenerationFailed = null;
  edge.configWatch.onEnded = null;
  edge.trying = null;
  if (problem === null) return null;
  goBack(edge, before);
  return problem;
}

/** Workers that could serve the other config do so already: a number above theirs brings them back. */
function goBack(edge: Edge, before: ConfigText): void {
  const back = serve(edge, before, edge.generations.next(before.fingerprint));
  edge.loop.recompute();
  edge.links.sendGeneration(back, before.config);
}

/** Every part of the controller works with this config from here on. */
function serve(edge: Edge, text: ConfigText, generation: number): number {
  edge.served = text;
  edge.generation = generation;
  edge.prober.replace(text.config);
  return generation;
}
