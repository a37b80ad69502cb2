// The controller process: reads the config, brings the parts of the edge host up in order, and takes them down again.
import { join } from 'node:path';
import { pause, systemClock } from '../../health/clock.ts';
import type { ConfigEnvironment } from '../config/completion.ts';
import type { Config } from '../config/config.ts';
import { diffConfig } from '../config/diff.ts';
import type { ConfigExtensions } from '../config/extension.ts';
import { seedIntent, type Seeding } from '../intent/seed.ts';
import type { ChildMessage, Renewal } from '../ipc-life-cycle.ts';
import type { Log } from '../log.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import type { Ledger } from '../store/ledger.ts';
import type { Store } from '../store/store.ts';
import { createAdminApi, type AdminApi } from './api/server.ts';
import { CertificateNews } from './certificate-news.ts';
import { ConfigSource, type ConfigText } from './config-source.ts';
import { takeConfig } from './config-taker.ts';
import { DecisionLog } from './decision-log.ts';
import { DrainDriver } from './driver/drains.ts';
import { DrillDriver } from './driver/drills.ts';
import { Arrivals } from './driver/arrivals.ts';
import { ExpiryDriver } from './driver/expiries.ts';
import { RolloutDriver } from './driver/rollouts.ts';
import { EdgeAppliance } from './edge-appliance.ts';
import { Edge } from './edge.ts';
import { adoptConfig } from './fleet/adopt-config.ts';
import { recordBeginning } from './fleet/join.ts';
import { placeOf } from './fleet/place.ts';
import { openShared } from './fleet/open-ledger.ts';
import { HeadroomNews } from './headroom-news.ts';
import { HostHistory } from './host-history.ts';
import { HostMetrics } from './host-metrics.ts';
import { rotatingKey } from './key-source.ts';
import { LastResults } from './last-results.ts';
import { hostId } from './host-id.ts';
import { readMachineLimits } from './machine-limits.ts';
import { MetricsEndpoint } from './metrics-endpoint.ts';
import { PlanNews } from './plan-news.ts';
import { Renewing } from './renewing.ts';
import type { RotatingKey } from './rotating-key.ts';
import { Webhooks } from './webhooks.ts';

export interface ControllerOptions {
  /** Absolute. */
  readonly configFile: string;
  readonly stateDir: string;
  /** How often a controller of this supervisor ended before. */
  readonly restarts: number;
  /** True: it begins when the supervisor says so, since another controller has the store and the sockets. */
  readonly standby: boolean;
  /** Of the program. */
  readonly version: string;
  readonly extensions: ConfigExtensions;
  readonly environment: ConfigEnvironment;
  readonly log: Log;
}

const CONFIG_FILE = { name: 'weir', how: 'config file' } as const;
const HEAR_PERIODS = 3;
const FLEET = { name: 'fleet', how: 'revision of the fleet' } as const;
/** For the first answer of a fleet; then the host starts with what it knows. */
const FIRST_CONTACT_MS = 1000;
/** The same of a host that has what to serve by. */
const KNOWN_CONTACT_MS = 200;
const CHANGES_GRACE_MS = 1000;

/** What a controller starts with. */
interface Beginning {
  readonly served: ConfigText;
  readonly seeding: Seeding;
  /** Worth knowing about the choice of the config. */
  readonly note: string | null;
  /** Wrong with the config file. */
  readonly problem: string | null;
}

/** Made and not started: reading the config and the store can fail, and then nothing has to be taken down but the store. */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #say: (message: ChildMessage) => void;
  readonly #store: Store;
  readonly #source: ConfigSource;
  /** Null: the host is alone. */
  readonly #ledger: Ledger | null;
  readonly #edge: Edge;
  readonly #appliance: EdgeAppliance;
  readonly #rollouts: RolloutDriver;
  readonly #drains: DrainDriver;
  readonly #decisions: DecisionLog;
  readonly #drills: DrillDriver;
  readonly #expiries: ExpiryDriver;
  readonly #arrivals: Arrivals;
  readonly #api: AdminApi;
  readonly #hostMetrics: HostMetrics;
  readonly #metrics: MetricsEndpoint;
  readonly #tickets: RotatingKey;
  readonly #pinKeys: RotatingKey;
  readonly #renewing: Renewing;
  readonly #lastResults: LastResults;
  readonly #history: HostHistory;
  readonly #webhooks: Webhooks;
  readonly #beginning: Beginning;
  #reloadWaits = false;
  #isUp = false;
  #periods = 0;
  readonly #headroom = new HeadroomNews();
  readonly #certificateNews = new CertificateNews();
  readonly #planNews = new PlanNews();

  /** `before`: workers of the supervisor before, which serve until those of this one do. */
  constructor(options: ControllerOptions, say: (message: ChildMessage) => void, before: readonly string[]) {
    const { stateDir, log, version } = options;
    this.#options = options;
    this.#say = say;
    this.#store = openSqliteStore(stateDir);
    this.#source = new ConfigSource({ ...options, store: this.#store });
    this.#beginning = this.#choose();
    const { served } = this.#beginning;
    const shared = openShared(served.config.redis, systemClock);
    this.#ledger = shared?.ledger ?? null;
    this.#edge = this.#createEdge(served, shared);
    this.#edge.links.expectNoMoreOf(before);
    const { meter } = this.#edge;
    this.#webhooks = new Webhooks(this.#edge.events, meter);
    this.#history = new HostHistory({ stateDir, clock: systemClock, log, meter, config: () => this.#edge.config });
    this.#lastResults = new LastResults(this.#store, systemClock);
    this.#lastResults.read(Object.keys(served.config.services), this.#edge.results);
    this.#renewing = new Renewing(say, this.#edge.events, version);
    this.#decisions = new DecisionLog(join(stateDir, 'decisions'), () => this.#edge.config.decisionLog, systemClock, log);
    this.#rollouts = new RolloutDriver(this.#edge);
    this.#drains = new DrainDriver(this.#edge);
    this.#drills = new DrillDriver(this.#edge);
    this.#expiries = new ExpiryDriver(this.#edge);
    this.#arrivals = new Arrivals(this.#edge);
    this.#appliance = new EdgeAppliance(
      this.#edge,
      { rollouts: this.#rollouts, drills: this.#drills, renewing: this.#renewing },
      {
        hostId: hostId(this.#store),
        history: this.#history,
        onTaken: (config) => this.#taken(config),
      },
    );
    this.#hostMetrics = new HostMetrics(this.#edge, {
      status: () => this.#appliance.status('read'),
      certificates: () => this.#appliance.certificates(),
    });
    const { admin } = served.config;
    const api = { appliance: this.#appliance, socketPath: join(stateDir, 'admin.sock'), bind: admin.bind, tls: admin.tls };
    this.#api = createAdminApi({ ...api, clock: systemClock, log });
    const { rotateMs } = served.config.sessionTickets;
    const place = { redis: served.config.redis, stateDir, log };
    this.#tickets = rotatingKey({ purpose: 'session tickets', file: 'ticket.key', rotateMs }, place, (key) =>
      this.#edge.links.sendTicketKey(key),
    );
    this.#pinKeys = rotatingKey({ purpose: 'pins', file: 'pin.key', rotateMs: Infinity }, place, (key) => this.#edge.links.sendPinKey(key));
    this.#metrics = new MetricsEndpoint((format) => this.#hostMetrics.read(format), log);
  }

  #createEdge(served: ConfigText, shared: ReturnType<typeof openShared>): Edge {
    return new Edge({
      clock: systemClock,
      random: Math.random,
      log: this.#options.log,
      store: this.#store,
      source: this.#source,
      served,
      version: this.#options.version,
      machine: readMachineLimits(),
      fleet: shared === null ? null : { ...shared, id: hostId(this.#store), ...placeOf(this.#options.stateDir) },
      onFleetConfig: () => this.#onFleet(() => this.#adoptConfig()),
      onFleetReached: () =>
        this.#onFleet(async () => {
          await this.#recordBeginning();
          await this.#adoptConfig();
        }),
      onMetrics: (delta) => this.#history.add(delta),
      onPeriod: () => this.#period(),
      onPlanned: (input, planned) => {
        this.#drains.tick();
        this.#decisions.add(input, planned);
      },
      onGenerationFailed: (problem) => this.#say({ type: 'failed', problem }),
    });
  }

  async start(): Promise<void> {
    const edge = this.#edge;
    const { config } = edge;
    // A fleet that cannot be reached must not hold up a host that can serve without it.
    await Promise.race([edge.fleet.start(), pause(systemClock, edge.keeper.newest === null ? FIRST_CONTACT_MS : KNOWN_CONTACT_MS)]);
    await edge.changes.run(() => this.#recordBeginning());
    if (this.#beginning.problem !== null) this.#warn(this.#beginning.problem);
    if (this.#beginning.note !== null) edge.events.add('config.note', this.#beginning.note);
    edge.meter.counter('weir_controller_restarts_total', [config.hostName]).add(this.#options.restarts);
    edge.meter.counter('weir_worker_restarts_total', [config.hostName]);
    this.#tickets.start();
    this.#pinKeys.start();
    edge.shared.follow(config);
    this.#webhooks.follow(config);
    await edge.links.start(join(this.#options.stateDir, 'ipc.sock'));
    edge.links.expect(config.workers);
    edge.prober.start(config, edge.health.read());
    edge.loop.start();
    edge.links.sendGeneration(edge.generation, config);
    this.#stored(() => this.#store.putServed({ text: edge.served.text, applied: this.#store.appliedConfig() }));
    await edge.agents.hub?.start();
    if (config.metrics !== null) await this.#metrics.start(config.metrics.bind);
    await this.#api.start();
    edge.events.add('controller.started', this.#options.restarts === 0 ? 'the controller has started' : 'the controller is back');
    this.#tellScale(config);
    this.#say({ type: 'ready' });
    this.#isUp = true;
    void edge.changes.run(() => this.#adoptConfig());
  }

  /** Before the start is over, the start itself does it. */
  #onFleet(act: () => Promise<void>): void {
    if (this.#isUp) void this.#edge.changes.run(act);
  }

  async #recordBeginning(): Promise<void> {
    const problem = await recordBeginning(this.#edge, { author: CONFIG_FILE, reason: this.#changedWhileAway() });
    if (problem !== null && problem !== this.#edge.problem) this.#warn(problem);
  }

  /** What the fleet has agreed on, if that is not what is served here. Has to run alone. */
  async #adoptConfig(): Promise<void> {
    if (this.#ledger === null) return;
    const onTaken = (config: Config): void => this.#taken(config);
    const problem = await adoptConfig(this.#edge, { ledger: this.#ledger, author: FLEET, onTaken });
    if (problem !== null) this.#warn(problem);
  }

  /** SIGHUP: the file as it is now. What is wrong with it is told, and the config before stays. */
  async reload(): Promise<void> {
    // The one that waits for its turn will read what the file says then.
    if (this.#reloadWaits) return;
    this.#reloadWaits = true;
    await this.#edge.changes.run(async () => {
      this.#reloadWaits = false;
      const read = this.#source.read();
      if (!read.ok) {
        this.#refused(read.problems);
        return;
      }
      if (read.note !== null) this.#edge.events.add('config.note', read.note);
      const onTaken = (config: Config): void => this.#taken(config);
      const outcome = await takeConfig(this.#edge, read.value, { author: CONFIG_FILE, dryRun: false, onTaken });
      if (!outcome.ok) {
        this.#refused([outcome.problem.message, ...(outcome.problem.problems ?? [])]);
        return;
      }
      const { changed, needsRestart } = outcome.value;
      if (!changed) this.#edge.events.add('config.unchanged', 'reloaded: nothing has changed');
      for (const line of needsRestart) this.#edge.events.add('config.needs_restart', `${line}: only a restart brings it in`);
      await this.#adoptConfig();
    });
  }

  /** The supervisor tells what becomes of a renewal. */
  takeRenewal(renewal: Renewal): void {
    this.#renewing.take(renewal);
  }

  /** The supervisor has killed a process of this host that gave no sign of life. */
  takeHung(child: string, silentMs: number): void {
    this.#edge.meter.counter('weir_hung_processes_total', [child]).add(1);
    const what = child === 'controller' ? 'the controller before' : `worker ${child}`;
    this.#edge.events.add(
      'worker.hung',
      `${what} gave no sign of life for ${Math.round(silentMs / 1000)} s; it was killed and is replaced`,
    );
  }

  /** The supervisor before and its workers are gone: their names are free. */
  alone(): void {
    this.#edge.links.expectNoMoreOf([]);
  }

  /** The workers are gone or serve on without us; what is known is stored last. */
  async close(): Promise<void> {
    const edge = this.#edge;
    await this.#changesMade();
    edge.loop.close();
    this.#rollouts.close();
    this.#tickets.close();
    this.#pinKeys.close();
    edge.shared.close();
    edge.prober.close();
    this.#storeHealth(true);
    this.#history.close();
    await Promise.allSettled([
      this.#webhooks.close(),
      this.#api.close(),
      edge.fleet.close(),
      this.#metrics.close(),
      edge.agents.hub?.close(),
      edge.links.close(),
      this.#decisions.close(),
    ]);
    this.#store.close();
  }

  /** Whoever waits for a change should hear that it is made, if that does not take long. */
  async #changesMade(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = systemClock.after(CHANGES_GRACE_MS, () => resolve(undefined));
    await Promise.race([promise, this.#edge.changes.run(() => Promise.resolve())]);
    timer.cancel();
  }

  /** The config to begin with: the file's, or, when that cannot be served, the text that was served last. */
  #choose(): Beginning {
    const [intent, wallMs] = [this.#store.readIntent(), systemClock.wallMs()];
    const read = this.#source.read();
    if (read.ok) {
      const seeding = seedIntent(read.value.config, intent, wallMs);
      if (seeding.problems.length === 0) return { served: read.value, seeding, note: read.note, problem: null };
    }
    const problems = read.ok ? seedIntent(read.value.config, intent, wallMs).problems.map(({ message }) => message) : read.problems;
    const text = this.#store.servedText();
    const last = text === null ? null : this.#source.parse(text, this.#store.appliedConfig());
    if (last?.ok !== true) throw new Error(problems.join('\n'));
    const seeding = seedIntent(last.value.config, intent, wallMs);
    if (seeding.problems.length > 0) throw new Error(problems.join('\n'));
    const problem = `the config file is not served, the config before is: ${problems.join('; ')}`;
    return { served: last.value, seeding, note: null, problem };
  }

  /** What is otherwise than in the config that was served before the restart; empty: nothing, or there was none. */
  #changedWhileAway(): string {
    const text = this.#store.servedText();
    const last = text === null || text === this.#edge.served.text ? null : this.#source.parse(text, null);
    return last?.ok === true ? diffConfig(last.value.config, this.#edge.config).differences.join('; ') : '';
  }

  #period(): void {
    const edge = this.#edge;
    const { services } = edge.config;
    edge.accuracy.look({ plan: edge.loop.plan, workers: edge.links.workers().length, services }, edge.options.clock.nowMs());
    for (const part of [this.#rollouts, this.#expiries, this.#arrivals, edge.approvals]) part.tick();
    // Other hosts are asked on demand; what waits there for a second person is to be seen by who does not ask.
    if (edge.config.safety.approval.services.length > 0 && (this.#periods += 1) % HEAR_PERIODS === 0) void edge.fleet.refresh();
    this.#drills.tick();
    edge.agents.prescale.tick();
    const status = this.#hostMetrics.tick();
    this.#history.tick(status);
    this.#planNews.look(status.services, edge.options.clock.nowMs(), edge.events);
    edge.window.prune();
    edge.results.keep(edge.config.services);
    this.#headroom.look(edge);
    this.#certificateNews.look(this.#appliance.certificates(), edge.events);
    this.#storeHealth();
    if (edge.unrecorded) void edge.changes.run(() => this.#recordBeginning());
  }

  #storeHealth(all = false): void {
    const { health, keeper, prober, failback, loop, results, seen, tokens } = this.#edge;
    this.#stored(() => {
      this.#store.findRoom();
      keeper.keepUp();
      health.write(prober.view());
      failback.write(loop.planned.memory);
      [seen, tokens].forEach((part) => part.write(all));
      this.#lastResults.write(results, all);
    });
  }

  /** A store that takes nothing for a while must not end what steers by what is known. */
  #stored(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#options.log.error({ problem: error instanceof Error ? error.message : String(error) }, 'the health cannot be stored');
    }
  }

  #taken(config: Config): void {
    this.#tellScale(config);
    this.#edge.shared.follow(config);
    this.#webhooks.follow(config);
    this.#tickets.rotateEvery(config.sessionTickets.rotateMs);
  }

  #tellScale({ workers, drainDeadlineMs, lameDuckMs, hangMs }: Config): void {
    this.#edge.links.expect(workers);
    this.#say({ type: 'scale', workers, drainDeadlineMs, lameDuckMs, hangMs });
  }

  #refused(problems: readonly string[]): void {
    this.#warn(`the config file is not taken over, the one before stays: ${problems.join('; ')}`);
  }

  #warn(problem: string): void {
    this.#edge.problem = problem;
    this.#edge.events.add('config.refused', problem);
  }
}
