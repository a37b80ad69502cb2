// Clients of the hub that are not the agent: a handshake of one's own making, and a WebSocket that says what the test wants.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { WebSocket } from 'undici';
import { type HubHello, type HubWishes, SUBPROTOCOLS } from '../../agent/dialogue.ts';
import { decodeHubMessage } from '../../agent/hub-messages.ts';
import { AGENT_PATH, AGENT_PROTOCOL, type AgentProtocol, type HubReply } from '../../agent/protocol.ts';
import { until } from './until.ts';

/** What the hub answers to a handshake of one's own making, as far as the end of the head. */
export async function handshake(
  port: number,
  path: string,
  authorization: string | null,
  protocols: string | null = null,
): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  const fields = [
    'Host: hub',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Extensions: permessage-deflate',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ];
  if (protocols !== null) fields.push(`Sec-WebSocket-Protocol: ${protocols}`);
  if (authorization !== null) fields.push(`Authorization: ${authorization}`);
  socket.write(`GET ${path} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`);
  let text = '';
  for await (const chunk of socket) {
    text += String(chunk);
    if (text.includes('\r\n\r\n')) break;
  }
  socket.destroy();
  return text.slice(0, text.indexOf('\r\n\r\n'));
}

/** A client that says what the test wants, in the newest protocol or an older one. */
export class RawAgent implements Disposable {
  readonly socket: WebSocket;
  readonly replies: HubReply[] = [];
  readonly wishes: HubWishes[] = [];
  /** Null: not greeted, as by protocol 1. */
  hello: HubHello | null = null;
  closed: { readonly code: number; readonly reason: string } | null = null;

  constructor(port: number, cluster = 'eu', token = 'weir_any', protocol: AgentProtocol = AGENT_PROTOCOL) {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}${AGENT_PATH}${cluster}`, {
      headers: { authorization: `Bearer ${token}` },
      ...(protocol === 1 ? {} : { protocols: [SUBPROTOCOLS[1], SUBPROTOCOLS[protocol]] }),
    });
    this.socket.addEventListener('message', ({ data }) => this.#onMessage(String(data)));
    this.socket.addEventListener('error', () => undefined);
    this.socket.addEventListener('close', ({ code, reason }) => (this.closed = { code, reason }));
  }

  static async open(port: number, cluster = 'eu', token = 'weir_any', protocol: AgentProtocol = AGENT_PROTOCOL): Promise<RawAgent> {
    const agent = new RawAgent(port, cluster, token, protocol);
    // One that is closed right after it was greeted was open all the same.
    const isReady = (): boolean => (protocol === 1 ? agent.socket.readyState === WebSocket.OPEN : agent.hello !== null);
    await until(isReady, 'the connection is open');
    return agent;
  }

  /** Sends and waits for the answer. A snapshot that names no session gets the one of the connection. */
  async say(message: unknown): Promise<HubReply | undefined> {
    const before = this.replies.length;
    this.tell(message);
    await until(() => this.replies.length > before || this.closed !== null, 'an answer');
    return this.replies[before];
  }

  /** Sends. */
  tell(message: unknown): void {
    const session = this.hello?.session;
    if (typeof message === 'string' || message instanceof Uint8Array) this.socket.send(message);
    else this.socket.send(JSON.stringify({ ...(session === undefined ? {} : { session }), ...Object(message) }));
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }

  #onMessage(text: string): void {
    const message = decodeHubMessage(text);
    assert.notEqual(message, null, text);
    if (message?.kind === 'hello') this.hello = message;
    if (message?.kind === 'wishes') this.wishes.push(message);
    if (message?.kind === 'reply') this.replies.push(message.reply);
  }
}
