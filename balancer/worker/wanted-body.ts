// The body of a request that a filter answers by what is in it: small, read whole, and sent nowhere.
import { WeirError } from '../errors.ts';
import type { BodyTransform, BodyWanted, LastBytes } from '../filter/filter.ts';
import { FilteredBody } from './body-steps.ts';
import type { BodyMemory } from './kept-body.ts';
import { OutgoingBody } from './outgoing-body.ts';
import type { RequestFlow } from './request-flow.ts';

const EMPTY = Buffer.alloc(0);
const NO_NAMES: ReadonlySet<string> = new Set();

/** `onBody` gets all of it; the flow fails by itself where it is too large or never ends. */
export function readWanted(flow: RequestFlow, { mostBytes }: BodyWanted, memory: BodyMemory, onBody: (body: Buffer) => void): void {
  const { exchange } = flow;
  if (exchange.bodyLength === 0) return onBody(EMPTY);
  if (exchange.bodyLength > mostBytes) return flow.fail('body_too_large', TOO_LARGE);
  const collected = new FilteredBody(new Collected(mostBytes, onBody), (error) => {
    if (error instanceof WeirError) flow.fail(error.code, error.detail);
    else flow.crash(error, 'request');
  });
  flow.body = new OutgoingBody(memory, collected, NO_NAMES);
  if (exchange.expectsContinue) exchange.sendInformational(100, []);
  exchange.readBody();
}

const TOO_LARGE = 'there is more in it than what it is for can have';

class Collected implements BodyTransform {
  readonly #mostBytes: number;
  readonly #onBody: (body: Buffer) => void;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(mostBytes: number, onBody: (body: Buffer) => void) {
    this.#mostBytes = mostBytes;
    this.#onBody = onBody;
  }

  push(chunk: Buffer): Buffer {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#mostBytes) throw new WeirError('body_too_large', TOO_LARGE);
    this.#chunks.push(Buffer.from(chunk));
    return EMPTY;
  }

  end(): LastBytes {
    this.#onBody(Buffer.concat(this.#chunks));
    return { bytes: EMPTY, trailers: [] };
  }
}
