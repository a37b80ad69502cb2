// The data plane of one process: serves with what it last received and never waits for the controller.
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '../../health/clock.ts';
import { Deadlines } from '../../health/deadlines.ts';
import type { Config } from '../config/config.ts';
import { createWorkerLink, type ControllerMessage, type WorkerLink } from '../ipc.ts';
import { decodeSupervisorMessage, type ChildMessage } from '../ipc-life-cycle.ts';
import { acceptAlone, type CreateAcceptor } from '../listener/acceptor.ts';
import type { Accepted } from '../listener/listener.ts';
import { PLACE_FILTERS } from '../filter/registry.ts';
import { asksForPlaces, asksForRegions, ClientRegions } from '../locate/client-regions.ts';
import type { Log } from '../log.ts';
import type { DownstreamConnection } from '../message/connection.ts';
import { createDateLine } from '../message/http-date.ts';
import { createRequestIds } from '../message/request-id.ts';
import { mergedPlan, wholePlan, type Plan } from '../steer/plan-shape.ts';
import type { Stratum } from '../steer/split.ts';
import { readClock } from '../socket/read-clock.ts';
import { Meter } from '../telemetry/meter.ts';
import { ClientConnections } from './client-connections.ts';
import { Drain } from './drain.ts';
import { Evidence } from './evidence.ts';
import { Generation, routersInSteps } from './generation.ts';
import { HandedSockets } from './handed-sockets.ts';
import { inTurns } from '../../health/in-turns.ts';
import { BodyMemory } from './kept-body.ts';
import { ListenerSet } from './listener-set.ts';
import { Overload } from './overload.ts';
import { PassThrough } from './pass-through.ts';
import { readSecret } from '../secret.ts';
import { PinKey } from '../steer/pins.ts';
import { Pipeline } from './pipeline.ts';
import { Readiness } from './readiness.ts';
import { RecentRequests } from './recent-requests.ts';
import { RunningWork } from './running-work.ts';
import { SharedWithHost } from './shared-with-host.ts';
import { AnswerStats, WorkerCounters } from './stats.ts';
import { applyTelling, closeTelling } from './telling.ts';
import { TunnelCloser } from './tunnel-closer.ts';
import type { WorkerContext } from './worker-context.ts';
import { Vitals, type Holdings } from './vitals.ts';

export interface WorkerOptions {
  /** Name of the worker, bounded: it labels metrics. */
  readonly worker: string;
  readonly stateDir: string;
  readonly log: Log;
  /** Absent: it opens its addresses itself. */
  readonly createAcceptor?: CreateAcceptor;
  /** Its supervisor says for each socket when nothing more is to be accepted; one of an earlier release does not. */
  readonly ceases?: boolean;
}

/** What the process that started the worker hears and says. */
export interface WorkerParent {
  onReady(): void;
  /** It is about to close its listeners. */
  onDraining(): void;
  onDrained(): void;
}

export class Worker {
  readonly #options: WorkerOptions;
  readonly #parent: WorkerParent;
  readonly #clock: Clock = readClock;
  readonly #deadlines = new Deadlines(readClock);
  readonly #meter = new Meter();
  readonly #link: WorkerLink;
  readonly #evidence: Evidence;
  readonly #context: WorkerContext;
  readonly #listeners: ListenerSet;
  readonly #vitals: Vitals;
  readonly #clients: ClientConnections;
  readonly #nextRequestId = createRequestIds();
  readonly #pinKey = new PinKey();
  readonly #work = new RunningWork();
  readonly #shared = new SharedWithHost({
    clock: readClock,
    isUp: () => this.#link.isUp,
    send: (message) => this.#link.send(message),
    workers: () => this.#pipeline?.generation.config.workers ?? 1,
  });
  readonly #closer: TunnelCloser;
  #pipeline: Pipeline | null = null;
  #plan: Plan | null = null;
  #planNumber = 0;
  #newest: { readonly generation: number; readonly config: Config } | null = null;
  #applying = false;
  #drain: Drain | null = null;
  /** The host is about to go. */
  #lameDuck = false;
  /** Null: nobody has asked yet. */
  #readiness: Readiness | null = null;

  constructor(options: WorkerOptions, parent: WorkerParent) {
    this.#options = options;
    this.#parent = parent;
    const counters = new WorkerCounters(this.#meter);
    this.#evidence = new Evidence({
      report: (ejection) => this.#link.send({ type: 'ejection', ejection }),
      countEjection: (cluster, reason) => counters.ejection(cluster, reason),
    });
    this.#context = {
      clock: this.#clock,
      nowMs: () => this.#clock.nowMs(),
      deadlines: this.#deadlines,
      evidence: this.#evidence,
      counters,
      unrouted: new AnswerStats(this.#meter, { route: '', service: '', version: '', cluster: '' }),
      accessLog: null,
      tracer: null,
      inFlight: 0,
      tunnels: new Set(),
      bodyMemory: new BodyMemory(),
      recent: new RecentRequests(),
      overload: new Overload(this.#clock, this.#meter),
    };
    this.#closer = new TunnelCloser({
      clock: this.#clock,
      random: Math.random,
      tunnels: this.#context.tunnels,
      onClosing: (cluster) => counters.tunnelMoved(cluster),
    });
    const { nowMs, overload } = this.#context;
    this.#clients = new ClientConnections({
      ...{ deadlines: this.#deadlines, nowMs, nextRequestId: this.#nextRequestId },
      dateLine: createDateLine(() => this.#clock.wallMs()),
      countAbuse: (listener, reason) => counters.http2Abuse(listener, reason),
      streamLimit: () => overload.streams,
    });
    this.#listeners = new ListenerSet(
      {
        createAcceptor: options.createAcceptor ?? acceptAlone,
        onConnection: (socket, accepted) => this.#accept(socket, accepted),
        onRefused: (listener, reason) => counters.refusedConnection(listener, reason),
        onCertificateReload: (listener, outcome) => counters.certificateReload(listener, outcome),
      },
      this.#clock,
      options.log,
    );
    this.#link = createWorkerLink({
      socketPath: join(options.stateDir, 'ipc.sock'),
      worker: options.worker,
      pid: process.pid,
      clock: this.#clock,
      random: Math.random,
      log: options.log,
      meter: this.#meter,
      served: () => ({ generation: this.#pipeline?.generation.number ?? 0, plan: this.#pipeline === null ? 0 : this.#planNumber }),
      onMessage: (message) => this.#receive(message),
      standing: () => this.#shared.standing(process.pid),
    });
    this.#vitals = new Vitals(options.worker, this.#meter, this.#clock);
  }

  start(): void {
    this.#deadlines.start();
    this.#vitals.start(() => this.#look());
    this.#context.overload.start((streams) => this.#pipeline?.limitStreams(streams));
    this.#link.start();
  }

  /** Once a second. */
  #look(): Holdings {
    this.#shared.report(this.#meter, this.#options.worker);
    const callers = this.#pipeline?.generation.consumers.takeUsed() ?? {};
    this.#link.send({ type: 'work', plan: this.#planNumber, clusters: this.#work.counts(this.#context.tunnels), callers });
    return {
      inFlight: this.#context.inFlight,
      tunnels: this.#context.tunnels.size,
      listeners: this.#listeners.all,
      clusters: [...(this.#pipeline?.generation.clusters.values() ?? [])],
      stores: this.#pipeline?.generation.stores.figures() ?? [],
      utilisation: this.#context.overload.utilisation,
      accessLogDropped: this.#context.accessLog?.takeDropped() ?? 0,
    };
  }

  /** Serves on, and tells those who ask that the host goes. */
  announceEnd(): void {
    this.#lameDuck = true;
  }

  /** Nothing new; what runs may finish until the deadline. */
  drain(deadlineMs: number): void {
    if (this.#drain !== null) return this.#drain.hasten(deadlineMs);
    this.#link.send({ type: 'draining' });
    this.#parent.onDraining();
    const what = {
      connections: this.#pipeline?.connections ?? new Set<DownstreamConnection>(),
      tunnels: this.#context.tunnels,
      open: () => this.#listeners.open,
      closeListeners: () => this.#listeners.close(),
      leave: this.#closer.leave,
    };
    this.#drain = new Drain(what, this.#clock, deadlineMs, (cut) => void this.#drained(cut));
    this.#drain.start();
  }

  async #drained(cut: number): Promise<void> {
    this.#options.log.info({ cut }, 'drained');
    this.#vitals.close();
    this.#context.overload.close();
    this.#closer.close();
    this.#deadlines.close();
    this.#pipeline?.generation.retire(null);
    this.#shared.giveBack();
    await closeTelling(this.#context);
    await this.#link.close();
    this.#parent.onDrained();
  }

  #receive(message: ControllerMessage): void {
    switch (message.type) {
      case 'generation':
        this.#newest = { generation: message.generation, config: message.config };
        void this.#apply();
        return;
      case 'plan':
        return this.#takePlan(message.plan, wholePlan(this.#plan, message.value, message.keepsCallers === true));
      case 'plan_delta':
        if (this.#plan === null || message.base !== this.#planNumber) return this.#link.send({ type: 'plan_gap', have: this.#planNumber });
        this.#takePlan(message.plan, mergedPlan(this.#plan, message), message);
        return;
      case 'ticket_key':
        this.#listeners.setTicketKey(Buffer.from(message.key, 'base64'));
        return;
      case 'pin_key':
        this.#pinKey.set(Buffer.from(message.key, 'base64'));
        this.#evidence.renew();
        return;
      case 'recent_question': {
        const { question, requestId } = message;
        return this.#link.send({ type: 'recent_answer', question, traces: this.#context.recent.find(requestId) });
      }
      case 'allowance':
      case 'slots_given':
      case 'slots_called':
      case 'key_set':
      case 'flight':
      case 'uses_decided':
      case 'session_end_kept':
      case 'sessions_ended':
        return this.#shared.receive(message);
      case 'close_tunnels':
        return this.#closer.set(message.cluster, message.perSecond);
      case 'metrics_ack':
        return;
    }
  }

  /** `changed` is the part of the plan that is new; the same as `plan` when it came in full. */
  #takePlan(number: number, plan: Plan, changed = plan): void {
    this.#plan = plan;
    this.#planNumber = number;
    this.#context.recent.plan = number;
    if (this.#pipeline === null) {
      void this.#apply();
      return;
    }
    this.#pipeline.generation.applyPlan(changed);
    this.#evidence.renew();
    this.#acknowledge();
  }

  /** Brings the newest config into service, one at a time; the first one waits for its plan, so that no request meets unknown health. */
  async #apply(): Promise<void> {
    if (this.#applying || this.#drain !== null) return;
    this.#applying = true;
    while (this.#newest !== null && this.#plan !== null) {
      const { generation, config } = this.#newest;
      this.#newest = null;
      try {
        await this.#serve(generation, config, this.#plan);
        this.#acknowledge();
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        this.#options.log.error({ generation, problem }, 'generation cannot be served');
        this.#link.send({ type: 'generation_failed', generation, problem });
      }
    }
    this.#applying = false;
  }

  async #serve(number: number, config: Config, plan: Plan): Promise<void> {
    const before = this.#pipeline?.generation ?? null;
    const clientRegions = await this.#regionsOf(config, before);
    const environment = {
      clientRegions,
      deadlines: this.#deadlines,
      random: Math.random,
      evidence: this.#evidence,
      stratum: stratumOf(this.#options.worker, config.workers),
      meter: this.#meter,
      work: this.#work,
      pinKey: this.#pinKey,
      readFile: readFileSync,
      nowMs: this.#context.nowMs,
      clock: this.#clock,
      readSecret,
      ...this.#shared.environment,
      warn: (problem: string) => this.#options.log.warn({ problem }, 'files for TLS to endpoints cannot be re-read'),
    };
    const routers = await inTurns(routersInSteps(config), this.#clock);
    if (this.#drain !== null) return;
    const next = new Generation({ number, config }, routers, environment, before);
    next.applyPlan(this.#plan ?? plan);
    this.#evidence.renew();
    if (before === null) this.#pipeline = new Pipeline(next, this.#context);
    try {
      await this.#listeners.apply(config.listeners);
    } catch (error) {
      if (before === null) this.#pipeline = null;
      throw error;
    }
    if (this.#pipeline !== null) this.#pipeline.generation = next;
    before?.retire(next);
    applyTelling(this.#context, config, before?.config ?? null, { ...this.#options, meter: this.#meter });
    this.#context.overload.setTarget(config.overloadDelayMs);
    if (before === null) {
      this.#link.send({ type: 'ready' });
      this.#parent.onReady();
    }
  }

  /** Null: nothing asks where clients are. */
  async #regionsOf(config: Config, before: Generation | null): Promise<ClientRegions | null> {
    if (!asksForRegions(config) && !asksForPlaces(config, PLACE_FILTERS)) return null;
    const warn = (problem: string): void => this.#options.log.warn({ problem }, 'locations of clients cannot be re-read');
    return ClientRegions.of(config, { clock: this.#clock, warn }, before?.clientRegions ?? null);
  }

  #acknowledge(): void {
    if (this.#pipeline !== null) this.#link.send({ type: 'ack', generation: this.#pipeline.generation.number, plan: this.#planNumber });
  }

  #accept(socket: Socket, accepted: Accepted): void {
    const { listener, peerAddress, told } = accepted;
    const pipeline = this.#pipeline;
    if (pipeline === null) return void socket.destroy();
    this.#vitals.countConnection(listener.name);
    const admit = (connection: DownstreamConnection): void => {
      pipeline.connections.add(connection);
      this.#drain?.admit(connection);
    };
    if (listener.protocol === 'http') return this.#clients.begin(socket, accepted, pipeline, admit);
    if (listener.protocol === 'readiness') {
      this.#readiness ??= new Readiness(pipeline.connections, () => this.#lameDuck || this.#drain !== null);
      return this.#clients.begin(socket, accepted, this.#readiness, admit);
    }
    const passed = new PassThrough(socket, { listener, peerAddress, told, id: this.#nextRequestId() }, pipeline, this.#context);
    admit(passed);
    passed.start();
  }
}

/** Runs the worker of this process until its parent lets it go. */
export function runWorker(options: WorkerOptions): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const say = (message: ChildMessage): void => void process.send?.(message);
  const sockets = new HandedSockets(say, options.ceases ?? true);
  const createAcceptor: CreateAcceptor = (listener, bind, hooks) => sockets.createAcceptor(listener, bind, hooks);
  const worker = new Worker(
    { createAcceptor, ...options },
    {
      onReady: () => say({ type: 'ready' }),
      onDraining: () => say({ type: 'draining' }),
      onDrained: () => {
        say({ type: 'drained' });
        resolve(undefined);
      },
    },
  );
  process.on('message', (value: unknown, handle: unknown) => {
    const message = decodeSupervisorMessage(value);
    if (message === null) return;
    if (message.type === 'drain') worker.drain(message.deadlineMs);
    else if (message.type === 'lame_duck') worker.announceEnd();
    else sockets.receive(message, handle);
  });
  // A bug in one exchange must not cut the others off: finish what runs, then let the supervisor start a fresh process.
  process.on('uncaughtException', (error) => {
    options.log.error({ problem: error.stack ?? error.message }, 'bug: the worker will be replaced');
    process.exitCode = 70;
    worker.drain(BUG_DRAIN_MS);
  });
  worker.start();
  return promise;
}

const BUG_DRAIN_MS = 10_000;

/** Workers are called w1, w2, …; one that is there for a while in the place of another shares its stratum with a third. */
function stratumOf(worker: string, workers: number): Stratum {
  const number = Number(/^w([1-9]\d*)$/.exec(worker)?.[1] ?? 1);
  return { index: (number - 1) % workers, of: workers };
}
