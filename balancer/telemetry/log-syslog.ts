// Lines to a syslog server: RFC 5424 over UDP (RFC 5426), or over TCP with octet counting (RFC 6587).
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import type { LineTarget } from './access-log.ts';

const MAX_WAITING_BYTES = 8 * 1024 * 1024;
/** What a datagram carries over any path of the Internet that is not in pieces (RFC 5426 section 3.2 asks for 2048 at least). */
const MAX_DATAGRAM_BYTES = 8192;
const INFORMATIONAL = 6;
const AGAIN_MS = 1000;
const CLOSE_MS = 1000;

export interface SyslogPlace {
  readonly transport: 'udp' | 'tcp';
  readonly host: string;
  readonly port: number;
  readonly facility: number;
  readonly tag: string;
  readonly hostName: string;
}

export class Syslog implements LineTarget {
  readonly #place: SyslogPlace;
  readonly #head: string;
  #udp: UdpSocket | null = null;
  #tcp: Socket | null = null;
  /** While it is away, nothing is kept for it. */
  #awayUntilMs = 0;
  #unsent = 0;

  /** Connects with the first line. */
  constructor(place: SyslogPlace) {
    this.#place = place;
    this.#head = `<${place.facility * 8 + INFORMATIONAL}>1 `;
  }

  write(lines: string): boolean {
    if (Date.now() < this.#awayUntilMs) return false;
    const messages = lines
      .split('\n')
      .slice(0, -1)
      .map((line) => this.#message(line));
    return this.#place.transport === 'udp' ? this.#sendDatagrams(messages) : this.#sendStream(messages);
  }

  async close(): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const limit = setTimeout(() => resolve(undefined), CLOSE_MS);
    this.#udp?.close(() => resolve(undefined));
    this.#tcp?.end(() => resolve(undefined));
    if (this.#udp === null && this.#tcp === null) resolve(undefined);
    await promise;
    clearTimeout(limit);
    this.#tcp?.destroy();
    return 0;
  }

  /** The time is that of sending; the line has its own. */
  #message(line: string): Buffer {
    const { hostName, tag } = this.#place;
    return Buffer.from(`${this.#head}${new Date().toISOString()} ${hostName} ${tag} ${process.pid} access - ${line}`, 'utf8');
  }

  #sendDatagrams(messages: readonly Buffer[]): boolean {
    if (this.#unsent > MAX_WAITING_BYTES) return false;
    const { host, port } = this.#place;
    const socket = (this.#udp ??= this.#openUdp());
    for (const message of messages) {
      const sent = message.subarray(0, MAX_DATAGRAM_BYTES);
      this.#unsent += sent.length;
      socket.send(sent, port, host, (error) => {
        this.#unsent -= sent.length;
        if (error !== null) this.#away();
      });
    }
    return true;
  }

  #openUdp(): UdpSocket {
    const socket = createSocket(this.#place.host.includes(':') ? 'udp6' : 'udp4');
    socket.on('error', () => this.#away());
    socket.unref();
    return socket;
  }

  #sendStream(messages: readonly Buffer[]): boolean {
    const socket = (this.#tcp ??= this.#openTcp());
    if (socket.writableLength > MAX_WAITING_BYTES) return false;
    socket.write(Buffer.concat(messages.flatMap((message) => [Buffer.from(`${message.length} `), message])));
    return true;
  }

  #openTcp(): Socket {
    const { host, port } = this.#place;
    const socket = connect({ host, port });
    const gone = (): void => {
      if (this.#tcp === socket) this.#tcp = null;
      this.#away();
    };
    socket.on('error', gone);
    socket.on('close', gone);
    // What a server says is of no interest, but has to be read.
    socket.resume();
    socket.unref();
    return socket;
  }

  #away(): void {
    this.#awayUntilMs = Date.now() + AGAIN_MS;
  }
}
