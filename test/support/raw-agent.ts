// Clients of the hub that are not the agent: a handshake of one's own making, and a WebSocket that says what the test wants.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { WebSocket } from 'undici';
import { AGENT_PATH, type HubReply } from '../../agent/protocol.ts';
import { decodeReply } from '../../agent/uplink.ts';
import { until } from './until.ts';

/** What the hub answers to a handshake of one's own making, as far as the end of the head. */
export async function handshake(port: number, path: string, authorization: string | null): Promise<string> {
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

/** A client that says what the test wants. */
export class RawAgent implements Disposable {
  readonly socket: WebSocket;
  readonly replies: HubReply[] = [];
  closed: { readonly code: number; readonly reason: string } | null = null;

  constructor(port: number, cluster = 'eu', token = 'weir_any') {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}${AGENT_PATH}${cluster}`, { headers: { authorization: `Bearer ${token}` } });
    this.socket.addEventListener('message', ({ data }) => {
      const reply = decodeReply(String(data));
      assert.notEqual(reply, null);
      if (reply !== null) this.replies.push(reply);
    });
    this.socket.addEventListener('error', () => undefined);
    this.socket.addEventListener('close', ({ code, reason }) => (this.closed = { code, reason }));
  }

  static async open(port: number, cluster = 'eu', token = 'weir_any'): Promise<RawAgent> {
    const agent = new RawAgent(port, cluster, token);
    await until(() => agent.socket.readyState === WebSocket.OPEN, 'the connection is open');
    return agent;
  }

  /** Sends and waits for the answer. */
  async say(message: unknown): Promise<HubReply | undefined> {
    const before = this.replies.length;
    this.socket.send(typeof message === 'string' || message instanceof Uint8Array ? message : JSON.stringify(message));
    await until(() => this.replies.length > before || this.closed !== null, 'an answer');
    return this.replies[before];
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}
