// The first message of a TLS client, read without answering it: which server it asks for, for routing before anybody ends TLS.

export interface ClientHello {
  /** Lower case, without the root's dot; empty: the client names none. With encrypted ClientHello this is the public name. */
  readonly serverName: string;
  /** Application protocols in the client's order, as far as they are printable. */
  readonly alpn: readonly string[];
}

/** A hello beyond this, framing included, is nobody's: the largest in use stay below 2 KiB, but for tickets. */
export const MAX_HELLO_BYTES = 16_384;

const TOO_LONG = `the hello is longer than ${MAX_HELLO_BYTES} bytes`;

const RECORD_HEADER_BYTES = 5;
const MESSAGE_HEADER_BYTES = 4;
const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const MAJOR_VERSION = 3;
/** RFC 8446 section 5.1: a plaintext record holds at most 2^14 bytes. */
const MAX_RECORD_BYTES = 16_384;
const RANDOM_BYTES = 32;
const MAX_SESSION_ID_BYTES = 32;
const SERVER_NAME = 0;
const APPLICATION_PROTOCOLS = 16;
const HOST_NAME = 0;
const HOST_NAME_PATTERN = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?$/;
const PRINTABLE = /^[\x21-\x7e]+$/;

/** Alerts of TLS that say why there will be no handshake (RFC 8446 section 6.2). */
export type AlertName = 'decode_error' | 'internal_error' | 'unrecognized_name';
const ALERTS: Readonly<Record<AlertName, number>> = { decode_error: 50, internal_error: 80, unrecognized_name: 112 };
const ALERT_RECORD = 21;
const FATAL = 2;

/** A fatal alert in a record of its own, in plain text: right for a client that has had no answer to its hello yet. */
export function fatalAlert(name: AlertName): Buffer {
  return Buffer.from([ALERT_RECORD, MAJOR_VERSION, 3, 0, 2, FATAL, ALERTS[name]]);
}

/**
 * Takes the bytes of a connection until its ClientHello is complete. The message may be cut into records and segments at any place;
 * every byte is looked at once. Strict: what the structures of RFC 8446 section 4.1.2 do not allow is refused, so that no origin
 * finds another name in the same bytes.
 */
export class ClientHelloReader {
  /** Null until the message is complete. */
  hello: ClientHello | null = null;
  /** Why this is no ClientHello; empty: it is one so far. */
  problem = '';
  readonly #chunks: Buffer[] = [];
  /** Up to the end of the message. */
  #taken = 0;
  readonly #recordHeader = Buffer.alloc(RECORD_HEADER_BYTES);
  #recordHeaderBytes = 0;
  #recordLeft = 0;
  readonly #messageHeader = Buffer.alloc(MESSAGE_HEADER_BYTES);
  #messageHeaderBytes = 0;
  /** Allocated when its length is known. */
  #body: Buffer | null = null;
  #bodyBytes = 0;

  /** True when it is decided: there is a hello, or a problem. Bytes behind the message are kept and not looked at. */
  push(chunk: Buffer): boolean {
    this.#chunks.push(chunk);
    let at = 0;
    while (at < chunk.length && this.hello === null && this.problem === '') {
      const before = at;
      at = this.#recordLeft === 0 ? this.#readRecordHeader(chunk, at) : this.#readPayload(chunk, at);
      this.#taken += at - before;
      if (this.#taken > MAX_HELLO_BYTES) this.#refuse(TOO_LONG);
    }
    return this.hello !== null || this.problem !== '';
  }

  /** Whether what came begins as TLS does, so that its sender can read an alert. */
  get isTls(): boolean {
    return this.#chunks[0]?.[0] === HANDSHAKE_RECORD;
  }

  /** Everything that came, as it came. */
  bytes(): Buffer {
    const [only] = this.#chunks;
    return this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks);
  }

  #readRecordHeader(chunk: Buffer, at: number): number {
    const header = this.#recordHeader;
    const byte = chunk[at] ?? 0;
    if (this.#recordHeaderBytes === 0 && byte !== HANDSHAKE_RECORD) this.#refuse(foreignStart(chunk, at));
    if (this.#recordHeaderBytes === 1 && byte !== MAJOR_VERSION) this.#refuse('the record is of no known version of TLS');
    header[this.#recordHeaderBytes] = byte;
    this.#recordHeaderBytes += 1;
    if (this.#recordHeaderBytes < RECORD_HEADER_BYTES) return at + 1;
    this.#recordHeaderBytes = 0;
    this.#recordLeft = header.readUInt16BE(3);
    if (this.#recordLeft === 0 || this.#recordLeft > MAX_RECORD_BYTES) this.#refuse('the length of a record is not possible');
    return at + 1;
  }

  #readPayload(chunk: Buffer, at: number): number {
    const body = this.#body;
    if (body === null) return this.#readMessageHeader(chunk, at);
    const take = Math.min(this.#recordLeft, chunk.length - at, body.length - this.#bodyBytes);
    chunk.copy(body, this.#bodyBytes, at, at + take);
    this.#bodyBytes += take;
    this.#recordLeft -= take;
    if (this.#bodyBytes === body.length) this.#complete(body);
    return at + take;
  }

  #readMessageHeader(chunk: Buffer, at: number): number {
    const header = this.#messageHeader;
    header[this.#messageHeaderBytes] = chunk[at] ?? 0;
    this.#messageHeaderBytes += 1;
    this.#recordLeft -= 1;
    if (header[0] !== CLIENT_HELLO) this.#refuse('the first message of the handshake is no ClientHello');
    if (this.#messageHeaderBytes < MESSAGE_HEADER_BYTES) return at + 1;
    const length = header.readUIntBE(1, 3);
    if (length > MAX_HELLO_BYTES) this.#refuse(TOO_LONG);
    else if (length === 0) this.#refuse('the hello is empty');
    else this.#body = Buffer.allocUnsafe(length);
    return at + 1;
  }

  #complete(body: Buffer): void {
    // A client has nothing else to say before it is answered.
    if (this.#recordLeft > 0) return this.#refuse('something follows the hello in its record');
    const hello = parseClientHello(body);
    if (typeof hello === 'string') this.#refuse(hello);
    else this.hello = hello;
  }

  #refuse(problem: string): void {
    this.hello = null;
    if (this.problem === '') this.problem = problem;
  }
}

function foreignStart(chunk: Buffer, at: number): string {
  const isSsl2 = ((chunk[at] ?? 0) & 0x80) !== 0 && chunk[at + 2] === CLIENT_HELLO;
  return isSsl2 ? 'the client speaks SSL 2' : 'the connection does not begin with a TLS handshake';
}

/** The message without its header; a text says what is wrong with it. */
export function parseClientHello(message: Buffer): ClientHello | string {
  const read = new Cursor(message);
  const version = read.uint16();
  read.skip(RANDOM_BYTES);
  const sessionIdBytes = read.uint8();
  read.skip(sessionIdBytes);
  const suiteBytes = read.uint16();
  read.skip(suiteBytes);
  const compressionBytes = read.uint8();
  read.skip(compressionBytes);
  if (read.failed) return 'the hello is cut off';
  if (version >>> 8 !== MAJOR_VERSION) return 'the hello is of no known version of TLS';
  if (sessionIdBytes > MAX_SESSION_ID_BYTES) return 'the session id of the hello is too long';
  if (suiteBytes === 0 || suiteBytes % 2 !== 0 || compressionBytes === 0) return 'the hello offers no cipher suites, or half of one';
  // TLS 1.2 and older know hellos without extensions (RFC 5246 section 7.4.1.2).
  if (read.left === 0) return { serverName: '', alpn: [] };
  if (read.uint16() !== read.left) return 'the length of the extensions does not fit the hello';
  return readExtensions(read);
}

function readExtensions(read: Cursor): ClientHello | string {
  const seen = new Set<number>();
  let serverName: string | null = '';
  let alpn: readonly string[] | null = [];
  while (read.left > 0) {
    const type = read.uint16();
    const content = read.block(read.uint16());
    if (content === null) return 'an extension is cut off';
    if (seen.has(type)) return `extension ${type} is there twice`;
    seen.add(type);
    if (type === SERVER_NAME) serverName = readServerName(content);
    else if (type === APPLICATION_PROTOCOLS) alpn = readProtocols(content);
    if (serverName === null) return 'the server name is malformed';
    if (alpn === null) return 'the list of application protocols is malformed';
  }
  return { serverName, alpn };
}

/** RFC 6066 section 3: a list whose only member can be one host name, since no other type of name exists. */
function readServerName(read: Cursor): string | null {
  if (read.uint16() !== read.left || read.uint8() !== HOST_NAME || read.uint16() !== read.left || read.failed) return null;
  const name = read.text();
  if (!HOST_NAME_PATTERN.test(name) || name.length > 255) return null;
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
}

/** RFC 7301 section 3.1. */
function readProtocols(read: Cursor): readonly string[] | null {
  if (read.uint16() !== read.left || read.left === 0 || read.failed) return null;
  const protocols: string[] = [];
  while (read.left > 0) {
    const name = read.block(read.uint8());
    if (name === null || name.left === 0) return null;
    protocols.push(name.text());
  }
  // GREASE values (RFC 8701) are no text.
  return protocols.filter((name) => PRINTABLE.test(name));
}

/** Reads on from where it is; beyond the end it gives zeros and says so. */
class Cursor {
  failed = false;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  uint8(): number {
    return this.#has(1) ? this.#bytes.readUInt8(this.#at++) : 0;
  }

  uint16(): number {
    if (!this.#has(2)) return 0;
    this.#at += 2;
    return this.#bytes.readUInt16BE(this.#at - 2);
  }

  skip(count: number): void {
    if (this.#has(count)) this.#at += count;
  }

  /** The next `count` bytes on their own; null: there are not as many. */
  block(count: number): Cursor | null {
    if (!this.#has(count)) return null;
    this.#at += count;
    return new Cursor(this.#bytes.subarray(this.#at - count, this.#at));
  }

  /** All that is left. */
  text(): string {
    return this.#bytes.toString('latin1', this.#at);
  }

  #has(count: number): boolean {
    if (this.left < count) this.failed = true;
    return !this.failed;
  }
}
