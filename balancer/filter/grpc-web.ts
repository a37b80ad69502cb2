// Filter grpcWeb: calls of gRPC-Web clients, which cannot read trailers, as calls of gRPC (PROTOCOL-WEB of the gRPC project).
import { Type } from '../schema/type.ts';
import { WeirError } from '../errors.ts';
import { fieldIndex, fieldValue, removeField, setField, type Fields } from '../message/fields.ts';
import { latin1 } from '../socket/latin1.ts';
import type { CanonicalRequest } from '../message/request.ts';
import type { BodyTransform, FilterDefinition, LastBytes } from './filter.ts';

const WEB_TYPE = /^application\/grpc-web(-text)?(\+[a-z0-9.-]+)?[ \t]*(?:;|$)/i;
const GRPC_TYPE = /^application\/grpc(\+[a-z0-9.-]+)?[ \t]*(?:;|$)/i;
/** Read by scripts, which see no field of an answer to another origin that is not named (Fetch, section 3.3.4). */
const EXPOSED = ['grpc-status', 'grpc-message', 'grpc-status-details-bin'];
/** Bit of the first byte of a frame that holds trailers. */
const TRAILER_FRAME = 0x80;
/** UNKNOWN: what a client of gRPC makes of an answer without a status. */
const NO_STATUS = ['grpc-status', '2', 'grpc-message', 'the service sent no status'];
const EMPTY = Buffer.alloc(0);

/** What a call looks like for its client. */
interface WebForm {
  /** The bodies are base64; of the request, and of the response. */
  readonly textIn: boolean;
  readonly textOut: boolean;
  /** The response is one of gRPC, and not of something on the way to it. */
  answered: boolean;
}

/** The form of a call; null: it is none of gRPC-Web. */
function formOf({ method, fields }: CanonicalRequest): WebForm | null {
  const match = method === 'POST' ? WEB_TYPE.exec(fieldValue(fields, 'content-type') ?? '') : null;
  if (match === null) return null;
  const textIn = match[1] !== undefined;
  const accept = fieldValue(fields, 'accept') ?? '';
  const named = /application\/grpc-web(-text)?/i.exec(accept);
  return { textIn, textOut: named === null ? textIn : /application\/grpc-web-text/i.test(accept), answered: false };
}

/** Base64 that comes in any pieces: groups of four characters, of which any may be padded (RFC 4648 section 4). */
class FromText implements BodyTransform {
  #rest = '';

  push(chunk: Buffer): Buffer {
    const text = this.#rest + latin1(chunk, 0, chunk.length);
    const whole = text.length - (text.length % 4);
    this.#rest = text.slice(whole);
    return decoded(text, whole);
  }

  end(): LastBytes {
    if (this.#rest !== '') throw broken();
    // In gRPC requests have no trailers.
    return { bytes: EMPTY, trailers: [] };
  }
}

function decoded(text: string, whole: number): Buffer {
  const bytes = Buffer.allocUnsafe((whole / 4) * 3);
  let length = 0;
  for (let at = 0; at < whole;) {
    const padding = text.indexOf('=', at);
    const end = padding < 0 || padding >= whole ? whole : padding + 4 - (padding % 4);
    const part = text.slice(at, end);
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(part)) throw broken();
    length += bytes.write(part, length, 'base64');
    at = end;
  }
  return bytes.subarray(0, length);
}

const broken = (): WeirError => new WeirError('bad_request', 'the body of a grpc-web-text request is not base64');

/** Messages go as they are, and the trailers behind them in a frame of their own. */
class ToWeb implements BodyTransform {
  readonly #text: boolean;

  constructor(text: boolean) {
    this.#text = text;
  }

  /** Each piece is padded for itself: nothing of a message waits for the next one. */
  push(chunk: Buffer): Buffer {
    return this.#text ? Buffer.from(chunk.toString('base64'), 'latin1') : chunk;
  }

  end(trailers: Fields): LastBytes {
    return {
      bytes: this.push(trailerFrame(fieldIndex(trailers, 'grpc-status') < 0 ? [...trailers, ...NO_STATUS] : trailers)),
      trailers: [],
    };
  }
}

/** One byte of flags, four of length, and the fields as lines of HTTP/1.1. */
function trailerFrame(trailers: Readonly<Fields>): Buffer {
  let lines = '';
  for (let i = 0; i < trailers.length; i += 2) lines += `${trailers[i] ?? ''}:${trailers[i + 1] ?? ''}\r\n`;
  const frame = Buffer.allocUnsafe(5 + lines.length);
  frame[0] = TRAILER_FRAME;
  frame.writeUInt32BE(lines.length, 1);
  frame.write(lines, 5, 'latin1');
  return frame;
}

/** Names what scripts may read besides what others have named. */
function expose(fields: Fields): void {
  const named = fieldValue(fields, 'access-control-expose-headers');
  const before = (named ?? '').split(',').map((name) => name.trim());
  const missing = EXPOSED.filter((name) => !before.some((other) => other.toLowerCase() === name));
  if (missing.length === 0) return;
  setField(fields, 'access-control-expose-headers', [...before.filter((name) => name !== ''), ...missing].join(', '));
}

export const grpcWeb: FilterDefinition = {
  name: 'grpcWeb',
  summary: 'Lets gRPC-Web clients, in the binary form and in base64, call gRPC services; other requests pass as they are.',
  schema: Type.Object({}, { additionalProperties: false, description: 'grpcWeb has no options' }),
  example: '{}',
  create() {
    const forms = new WeakMap<CanonicalRequest, WebForm>();
    return {
      onRequest(request) {
        const form = formOf(request);
        if (form === null) return undefined;
        forms.set(request, form);
        const [, , message = ''] = WEB_TYPE.exec(fieldValue(request.fields, 'content-type') ?? '') ?? [];
        setField(request.fields, 'content-type', `application/grpc${message.toLowerCase()}`);
        removeField(request.fields, 'accept');
        request.acceptsTrailers = true;
        return undefined;
      },
      onRequestBody(request) {
        return forms.get(request)?.textIn === true ? new FromText() : null;
      },
      onResponse(request, { fields }) {
        // A filter before this one, or the listener, may have answered.
        const form = forms.get(request) ?? formOf(request);
        if (form === null) return;
        const grpc = GRPC_TYPE.exec(fieldValue(fields, 'content-type') ?? '');
        if (grpc !== null) setField(fields, 'content-type', `application/grpc-web${form.textOut ? '-text' : ''}${grpc[1] ?? ''}`);
        form.answered = grpc !== null;
        if (fieldValue(request.fields, 'origin') !== undefined) expose(fields);
      },
      onResponseBody(request, { fields }) {
        const form = forms.get(request);
        // With the status in the head there is no message, and no trailers come.
        return form?.answered === true && fieldIndex(fields, 'grpc-status') < 0 ? new ToWeb(form.textOut) : null;
      },
    };
  },
};
