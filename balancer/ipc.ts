// What controller and workers say to each other over the unix socket `<state dir>/ipc.sock`, one JSON object a line.
import type { Config } from './config/config.ts';
import type { Plan, ServicePlan, HealthView } from './steer/plan-shape.ts';
import type { MetricsDelta } from './telemetry/meter.ts';

/** Rises when a message changes its meaning; a hello with another number is refused. */
export const IPC_PROTOCOL = 1;

export type ControllerMessage =
  /** The config to serve with, in full. Numbers only rise. */
  | { readonly type: 'generation'; readonly generation: number; readonly config: Config }
  /** The plan in full, every few seconds and on a gap. */
  | { readonly type: 'plan'; readonly plan: number; readonly value: Plan }
  /** What changed between plan `base` and plan `plan`; a worker that does not serve `base` asks for all. */
  | {
      readonly type: 'plan_delta';
      readonly base: number;
      readonly plan: number;
      readonly services: Readonly<Record<string, ServicePlan>>;
      readonly health: HealthView;
    }
  /** Metric deltas up to this sequence are counted; the worker may forget them. */
  | { readonly type: 'metrics_ack'; readonly sequence: number };

/** Something a worker saw in real traffic that made it eject at once. */
export type Ejection =
  | { readonly kind: 'endpoint'; readonly cluster: string; readonly endpoint: string; readonly forMs: number; readonly reason: string }
  | {
      readonly kind: 'target';
      readonly service: string;
      readonly version: string;
      readonly cluster: string;
      readonly forMs: number;
      readonly reason: string;
    };

export type WorkerMessage =
  | {
      readonly type: 'hello';
      readonly protocol: typeof IPC_PROTOCOL;
      readonly worker: string;
      readonly pid: number;
      /** What it serves already (after the controller was restarted); 0: nothing yet. */
      readonly generation: number;
      readonly plan: number;
    }
  /** It serves these now. */
  | { readonly type: 'ack'; readonly generation: number; readonly plan: number }
  /** It could not make a generation (a certificate that cannot be read, an address in use); it serves the one before. */
  | { readonly type: 'generation_failed'; readonly generation: number; readonly problem: string }
  | { readonly type: 'plan_gap'; readonly have: number }
  | { readonly type: 'metrics'; readonly sequence: number; readonly delta: MetricsDelta }
  | { readonly type: 'ejection'; readonly ejection: Ejection }
  /** Listeners are open and the first plan is served. */
  | { readonly type: 'ready' }
  | { readonly type: 'draining' };

/** Life-cycle messages between supervisor and its children, over the process channel. */
export type SupervisorMessage = { readonly type: 'drain'; readonly deadlineMs: number } | { readonly type: 'reload' };

/** From a child to the supervisor. */
export type ChildMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'drained' }
  /** The controller read a config with another number of workers. */
  | { readonly type: 'scale'; readonly workers: number };
