// A request of weir's own that no client waits for: it goes from the split on the way of every request, and its answer is for one filter alone.
import type { DownstreamExchange, DownstreamListener } from '../message/exchange.ts';
import type { CanonicalRequest } from '../message/request.ts';
import type { TunnelEnd } from '../message/tunnel.ts';
import type { RouteRuntime } from './generation.ts';
import { RequestFlow } from './request-flow.ts';
import type { WorkerContext } from './worker-context.ts';

/** Sends it, unless this process has no time for what nobody waits for. */
export function sendUnheard(request: CanonicalRequest, { unheard }: RouteRuntime, context: WorkerContext): void {
  if (context.overload.active) return unheard.tellEnd(request, { status: 0, durationMs: 0 }, context.counters);
  const flow = new RequestFlow(new UnheardExchange(request, context.nowMs()), context);
  flow.route = unheard;
  try {
    flow.proceed(unheard);
  } catch (error) {
    flow.crash(error, 'request');
  }
}

const deaf: DownstreamListener = {
  onBody: () => undefined,
  onBodyEnd: () => undefined,
  onDownstreamDrain: () => undefined,
  onDownstreamFailed: () => undefined,
};

class UnheardExchange implements DownstreamExchange {
  readonly request: CanonicalRequest;
  readonly bodyLength = 0;
  readonly startedMs: number;
  readonly expectsContinue = false;
  readonly upgrade = '';
  listener: DownstreamListener = deaf;

  constructor(request: CanonicalRequest, startedMs: number) {
    this.request = request;
    this.startedMs = startedMs;
  }

  readBody(): void {
    return undefined;
  }

  pauseBody(): void {
    return undefined;
  }

  resumeBody(): void {
    return undefined;
  }

  sendInformational(): void {
    return undefined;
  }

  sendHead(): void {
    return undefined;
  }

  sendBody(): boolean {
    return true;
  }

  sendEnd(): void {
    return undefined;
  }

  flush(): boolean {
    return true;
  }

  sendUpgrade(): TunnelEnd {
    throw new Error('no upgrade was asked for');
  }

  abort(): void {
    return undefined;
  }
}
