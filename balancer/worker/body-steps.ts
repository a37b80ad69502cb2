// The steps by which filters of a route change a body on its way, one behind the other.
import type { BodyTransform, LastBytes } from '../filter/filter.ts';
import type { CanonicalRequest } from '../message/request.ts';
import type { ResponseHead } from '../message/response.ts';
import type { Fields } from '../message/fields.ts';
import type { RouteRuntime } from './generation.ts';

const EMPTY = Buffer.alloc(0);

/** What is told when the filters cannot go on with a body. */
type OnFailure = (error: unknown) => void;

/** The request's body as the filters of its route make it; null: it passes as it is. */
export function filteredRequestBody(
  route: Pick<RouteRuntime, 'onRequestBody'>,
  request: CanonicalRequest,
  onFailure: OnFailure,
): FilteredBody | null {
  const transform = route.onRequestBody.length === 0 ? null : requestBodyOf(route, request);
  return transform === null ? null : new FilteredBody(transform, onFailure);
}

/** The body of an endpoint's response as the filters of its route make it; null: it passes as it is. */
export function filteredResponseBody(
  route: Pick<RouteRuntime, 'onResponseBody'>,
  request: CanonicalRequest,
  head: ResponseHead,
  onFailure: OnFailure,
): FilteredBody | null {
  const transform = route.onResponseBody.length === 0 ? null : responseBodyOf(route, request, head);
  return transform === null ? null : new FilteredBody(transform, onFailure);
}

/** How the body of this request changes on its way to the endpoint; null: it does not. */
export function requestBodyOf({ onRequestBody }: Pick<RouteRuntime, 'onRequestBody'>, request: CanonicalRequest): BodyTransform | null {
  const steps: BodyTransform[] = [];
  for (const filter of onRequestBody) {
    const step = filter.onRequestBody?.(request) ?? null;
    if (step !== null) steps.push(step);
  }
  return inTurn(steps);
}

/** How the body of this response of an endpoint changes on its way to the client; null: it does not, or there is none. */
export function responseBodyOf(
  { onResponseBody }: Pick<RouteRuntime, 'onResponseBody'>,
  request: CanonicalRequest,
  head: ResponseHead,
): BodyTransform | null {
  if (head.status === 204 || head.status === 304) return null;
  const steps: BodyTransform[] = [];
  for (const filter of onResponseBody) {
    const step = filter.onResponseBody?.(request, head) ?? null;
    if (step !== null) steps.push(step);
  }
  // Nothing is known any more of the length of the body that is not sent.
  const changed = steps.some(({ watches }) => watches !== true);
  return request.method === 'HEAD' && changed ? NOTHING_SENT : inTurn(steps);
}

const NOTHING_SENT: BodyTransform = { push: () => EMPTY, end: (trailers) => ({ bytes: EMPTY, trailers }) };

function inTurn(steps: readonly BodyTransform[]): BodyTransform | null {
  const [only = null] = steps;
  return steps.length < 2 ? only : new Chain(steps);
}

class Chain implements BodyTransform {
  readonly watches?: true;
  readonly #steps: readonly BodyTransform[];

  constructor(steps: readonly BodyTransform[]) {
    this.#steps = steps;
    if (steps.every(({ watches }) => watches)) this.watches = true;
  }

  push(chunk: Buffer): Buffer {
    let bytes = chunk;
    for (const step of this.#steps) if (bytes.length > 0) bytes = step.push(bytes);
    return bytes;
  }

  /** What one step ends with is still a body to the next one. */
  end(trailers: Fields): LastBytes {
    let last: LastBytes = { bytes: EMPTY, trailers };
    for (const step of this.#steps) {
      const before = last.bytes.length > 0 ? step.push(last.bytes) : EMPTY;
      const { bytes, trailers: kept } = step.end(last.trailers);
      last = { bytes: before.length === 0 ? bytes : Buffer.concat([before, bytes]), trailers: kept };
    }
    return last;
  }
}

/** A body on its way through the filters, whose trouble is told to whoever sends it. */
export class FilteredBody {
  readonly #transform: BodyTransform;
  readonly #onFailure: (error: unknown) => void;

  constructor(transform: BodyTransform, onFailure: (error: unknown) => void) {
    this.#transform = transform;
    this.#onFailure = onFailure;
  }

  /** The length that was told of the body holds no more. */
  get isOther(): boolean {
    return this.#transform.watches !== true;
  }

  /** Null: the filters cannot go on, and that was told. */
  push(chunk: Buffer): Buffer | null {
    try {
      return this.#transform.push(chunk);
    } catch (error) {
      this.#onFailure(error);
      return null;
    }
  }

  /** Null as with `push`. */
  end(trailers: Fields): LastBytes | null {
    try {
      return this.#transform.end(trailers);
    } catch (error) {
      this.#onFailure(error);
      return null;
    }
  }
}
