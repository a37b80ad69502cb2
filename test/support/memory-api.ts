// An API server in memory, for what a real one cannot be made to do: watches that go silent or end in the middle of a line, answers of 429, a day of
// restarts in a second. It answers as the API's documentation says and forgives nothing.
import type { Clock } from '../../health/clock.ts';
import type { ApiAnswer, ApiFailure, ApiServer, StreamHandlers } from '../../agent/kubernetes/api.ts';

interface OpenWatch {
  readonly path: string;
  readonly handlers: StreamHandlers;
  ended: boolean;
  /** Its connection is dead, and neither end knows. */
  mute: boolean;
}

interface Change {
  readonly version: number;
  readonly resource: string;
  readonly event: object;
}

export class MemoryApi implements ApiServer {
  /** What was asked, `list nodes`, `watch pods`, in order. */
  readonly asked: string[] = [];
  /** Of every question, before all else; null: it is answered in order. */
  fault: ((path: string) => ApiFailure | null) | null = null;
  /** What `metrics.k8s.io` has of pods; null: no metrics server is installed. */
  metrics: readonly object[] | null = null;
  #silent = false;
  /** Changes before this version are forgotten: a watch from there is answered with 410. */
  #oldest = 0;
  #version = 100;
  readonly #objects = new Map<string, Map<string, object>>();
  #changes: Change[] = [];
  #watches: OpenWatch[] = [];
  readonly #clock: Pick<Clock, 'after'>;

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock;
  }

  /** True: watches that are open go silent for good, and new ones are. */
  set silent(silent: boolean) {
    this.#silent = silent;
    if (silent) for (const watch of this.#watches) watch.mute = true;
  }

  get openWatches(): number {
    return this.#watches.length;
  }

  get(path: string): Promise<ApiAnswer> {
    const { resource, parameters, isReady } = read(path);
    if (!isReady) this.asked.push(`${parameters.has('continue') ? 'page' : 'list'} ${resource}`);
    const failure = this.fault?.(path) ?? null;
    if (failure !== null) return Promise.resolve(failure);
    if (isReady) return Promise.resolve({ ok: true, value: 'ok' });
    if (path.startsWith('/apis/metrics.k8s.io/')) return Promise.resolve(this.#metricsOf(resource));
    const all = [...(this.#objects.get(resource)?.values() ?? [])];
    const from = Number(parameters.get('continue') ?? 0);
    const to = from + Number(parameters.get('limit') ?? all.length);
    const metadata = { resourceVersion: String(this.#version), ...(to < all.length ? { continue: String(to) } : {}) };
    return Promise.resolve({ ok: true, value: { metadata, items: all.slice(from, to) } });
  }

  stream(path: string, handlers: StreamHandlers): () => void {
    const { resource, parameters } = read(path);
    this.asked.push(`watch ${resource}`);
    const opened: OpenWatch = { path, handlers, ended: false, mute: false };
    // A network never answers before the question was sent.
    queueMicrotask(() => this.#open(opened, resource, Number(parameters.get('resourceVersion') ?? 0)));
    return () => {
      opened.ended = true;
      this.#watches = this.#watches.filter((other) => other !== opened);
    };
  }

  /** Writes an object; every watch of its kind hears of it. */
  put(resource: string, name: string, object: object): void {
    const of = this.#objects.get(resource) ?? new Map<string, object>();
    this.#objects.set(resource, of);
    const type = of.has(name) ? 'MODIFIED' : 'ADDED';
    this.#version += 1;
    const written = { ...object, metadata: { name, ...metadataOf(object), resourceVersion: String(this.#version) } };
    of.set(name, written);
    this.#tell(resource, { type, object: written });
  }

  delete(resource: string, name: string): void {
    const object = this.#objects.get(resource)?.get(name);
    if (object === undefined) return;
    this.#objects.get(resource)?.delete(name);
    this.#version += 1;
    this.#tell(resource, {
      type: 'DELETED',
      object: { ...object, metadata: { ...metadataOf(object), resourceVersion: String(this.#version) } },
    });
  }

  /** Sends a line to every watch as it is. */
  say(value: unknown): void {
    for (const { handlers } of [...this.#watches]) handlers.onLine(value);
  }

  /** As a server does two seconds before it ends a watch. */
  bookmark(): void {
    this.say({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(this.#version) } } });
  }

  /** Ends all watches; null: in order. */
  endWatches(failure: ApiFailure | null): void {
    const open = this.#watches;
    this.#watches = [];
    for (const watch of open) this.#end(watch, failure);
  }

  /** What happened until now is not known any more, as after a restart of a server whose cache begins with what it lists. */
  forget(): void {
    this.#oldest = this.#version;
    this.#changes = [];
  }

  /** Something else in the cluster has moved the version on. */
  passBy(): void {
    this.#version += 1;
  }

  #metricsOf(resource: string): ApiAnswer {
    if (this.metrics === null)
      return { ok: false, status: 404, problem: 'the server could not find the requested resource (404)', retryAfterMs: null };
    return { ok: true, value: { metadata: {}, items: resource === 'pods' ? this.metrics : [] } };
  }

  #open(opened: OpenWatch, resource: string, from: number): void {
    if (opened.ended) return;
    const failure = this.fault?.(opened.path) ?? null;
    if (failure !== null) return this.#end(opened, failure);
    opened.handlers.onOpen();
    if (from < this.#oldest) {
      opened.handlers.onLine({
        type: 'ERROR',
        object: { kind: 'Status', code: 410, reason: 'Expired', message: `too old resource version: ${from}` },
      });
      return this.#end(opened, null);
    }
    this.#watches.push(opened);
    opened.mute = this.#silent;
    const timeoutMs = Number(read(opened.path).parameters.get('timeoutSeconds')) * 1000;
    this.#clock.after(timeoutMs - 2000, () => this.#bookmark(opened), true);
    this.#clock.after(timeoutMs, () => this.#timeOut(opened), true);
    if (opened.mute) return;
    for (const change of this.#changes) if (change.version > from && change.resource === resource) opened.handlers.onLine(change.event);
  }

  #bookmark(watch: OpenWatch): void {
    const object = { metadata: { resourceVersion: String(this.#version) } };
    if (!watch.ended && !watch.mute) watch.handlers.onLine({ type: 'BOOKMARK', object });
  }

  #timeOut(watch: OpenWatch): void {
    if (watch.ended || watch.mute) return;
    this.#watches = this.#watches.filter((other) => other !== watch);
    this.#end(watch, null);
  }

  #tell(resource: string, event: object): void {
    this.#changes.push({ version: this.#version, resource, event });
    for (const { path, handlers, mute } of [...this.#watches]) if (!mute && read(path).resource === resource) handlers.onLine(event);
  }

  #end(watch: OpenWatch, failure: ApiFailure | null): void {
    if (watch.ended) return;
    watch.ended = true;
    watch.handlers.onEnd(failure);
  }
}

export const AWAY: ApiFailure = { ok: false, status: 0, problem: 'connect ECONNREFUSED', retryAfterMs: null };

function read(path: string): { readonly resource: string; readonly parameters: URLSearchParams; readonly isReady: boolean } {
  const url = new URL(path, 'https://kube');
  return { resource: url.pathname.split('/').at(-1) ?? '', parameters: url.searchParams, isReady: url.pathname === '/readyz' };
}

function metadataOf(object: object): object {
  return Object(Reflect.get(object, 'metadata')) as object;
}
