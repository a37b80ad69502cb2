// One connection to a hub, from the first packet to its end.
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { Agent, buildConnector, type Dispatcher, WebSocket } from 'undici';
import { DIALOGUE_LIMITS, SUBPROTOCOLS } from './dialogue.ts';
import { AGENT_PROTOCOLS, type AgentProtocol } from './protocol.ts';

/** PEM texts. */
export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
}

/** What an agent proves itself with, read anew before each connection. */
export interface Credentials {
  /** Null: the certificate says who it is. */
  readonly token: string | null;
  readonly certificate: ClientCertificate | null;
}

export interface HubAddress {
  /** `ws:` or `wss:`, with the path of the cluster. */
  readonly url: URL;
  /** The one address of the host that is meant; null: any. The certificate is checked against the name in the URL in any case. */
  readonly address: string | null;
  readonly credentials: Credentials;
  /** PEM text of the authority that signed the hub's certificate, no other is believed; null: the system's authorities. */
  readonly ca: string | null;
}

export interface HubConnectionHandlers {
  onOpen(protocol: AgentProtocol): void;
  onMessage(text: string): void;
  /** Exactly once; nothing is called after it. `code` is 0 where no close frame said why. */
  onClosed(code: number, reason: string): void;
}

/** As long as a hub may take that all its agents come back to at once: it admits them one after the other. */
const CONNECT_TIMEOUT_MS = 20_000;
const NORMAL_CLOSE = 1000;

/** What an answer other than an upgrade means. */
const REFUSALS: Readonly<Record<number, string>> = {
  401: 'the hub does not know the token (401): make one with `weir agent token CLUSTER`',
  403: 'the token or the certificate is for another cluster (403)',
  404: 'the hub knows no such cluster (404): is it in the config under clusters?',
  426: 'the hub speaks no protocol of this agent (426): renew the older of the two',
  503: 'the hub takes no more connections now (503)',
};

/** Opens a connection at once. */
export class HubConnection {
  readonly #handlers: HubConnectionHandlers;
  readonly #dispatcher: Agent;
  readonly #webSocket: WebSocket;
  /** Known from the connect on: the WebSocket interface has no way to end a connection whose other end is silent. */
  #socket: Socket | null = null;
  /** The most telling thing that was heard of why it does not work. */
  #problem = '';
  #closed = false;

  constructor(address: HubAddress, handlers: HubConnectionHandlers) {
    this.#handlers = handlers;
    this.#dispatcher = new Agent({
      allowH2: false,
      connect: this.#connector(address),
      headersTimeout: CONNECT_TIMEOUT_MS,
      bodyTimeout: CONNECT_TIMEOUT_MS,
      // A hub must not fill the memory of an agent, with compression or without.
      webSocket: { maxPayloadSize: DIALOGUE_LIMITS.messageBytes },
    });
    const onStatus = (status: number): void => {
      this.#problem = REFUSALS[status] ?? `the hub answered with status ${status} instead of an upgrade: is this the address of a hub?`;
    };
    const { token } = address.credentials;
    this.#webSocket = new WebSocket(address.url, {
      // The oldest first: a hub that knows nothing of the choice takes the first, and is as old as that.
      protocols: AGENT_PROTOCOLS.map((protocol) => SUBPROTOCOLS[protocol]),
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      dispatcher: this.#dispatcher.compose(watchStatus(onStatus)),
    });
    this.#listen(this.#webSocket);
  }

  /** Bytes that the network has not taken yet. */
  get bufferedBytes(): number {
    return this.#webSocket.bufferedAmount;
  }

  send(text: string): void {
    if (this.#webSocket.readyState === WebSocket.OPEN) this.#webSocket.send(text);
  }

  /** Says goodbye; the end is reported by `onClosed` when the hub has answered. */
  close(): void {
    if (this.#webSocket.readyState === WebSocket.OPEN) this.#webSocket.close(NORMAL_CLOSE);
    else this.destroy('closed before it was open');
  }

  /** Ends it without waiting for anybody. */
  destroy(reason: string): void {
    this.#problem = reason;
    this.#end(0);
  }

  #connector({ ca, address, credentials: { certificate } }: HubAddress): buildConnector.connector {
    const connect = buildConnector({
      ...{ allowH2: false, timeout: CONNECT_TIMEOUT_MS },
      ...(ca === null ? {} : { ca }),
      ...(certificate === null ? {} : certificate),
      ...(address === null ? {} : { lookup: always(address) }),
    });
    return (options, callback) => {
      connect(options, (...result) => {
        const [error, socket] = result;
        if (error === null) this.#watch(socket);
        else this.#problem = error.message;
        if (this.#closed) socket?.destroy();
        callback(...result);
      });
    };
  }

  /** What ends a connection is told on its socket and nowhere above: that a certificate is wanted comes after the handshake (RFC 8446 section 6.2). */
  #watch(socket: Socket): void {
    this.#socket = socket;
    socket.once('error', (error) => {
      if (this.#problem === '') this.#problem = error.message;
    });
  }

  #listen(webSocket: WebSocket): void {
    webSocket.addEventListener('open', () => {
      const protocol = AGENT_PROTOCOLS.find((known) => SUBPROTOCOLS[known] === webSocket.protocol);
      if (!this.#closed) this.#handlers.onOpen(protocol ?? AGENT_PROTOCOLS[0]);
    });
    webSocket.addEventListener('message', ({ data }) => {
      if (!this.#closed && typeof data === 'string') this.#handlers.onMessage(data);
    });
    // Always followed by `close`, and its text says less than what was heard below.
    webSocket.addEventListener('error', () => undefined);
    webSocket.addEventListener('close', ({ code, reason }) => {
      if (reason !== '') this.#problem = reason;
      this.#end(code);
    });
  }

  #end(code: number): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket?.destroy();
    void this.#dispatcher.destroy();
    this.#handlers.onClosed(code, this.#problem === '' ? `the connection ended (${code})` : this.#problem);
  }
}

/** A name that has one address. */
function always(address: string): LookupFunction {
  const family = isIP(address);
  return (_host, options, done) => {
    if (options.all === true) done(null, [{ address, family }]);
    else done(null, address, family);
  };
}

/** Reports the status of an answer, which the WebSocket interface keeps to itself. */
function watchStatus(onStatus: (status: number) => void): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) =>
    dispatch(options, {
      onRequestStart: (controller, context: unknown) => handler.onRequestStart?.(controller, context),
      onRequestUpgrade: (controller, status, headers, socket) => handler.onRequestUpgrade?.(controller, status, headers, socket),
      onResponseStart: (controller, status, headers, message) => {
        onStatus(status);
        handler.onResponseStart?.(controller, status, headers, message);
      },
      onResponseData: (controller, chunk) => handler.onResponseData?.(controller, chunk),
      onResponseEnd: (controller, trailers) => handler.onResponseEnd?.(controller, trailers),
      onResponseError: (controller, error) => handler.onResponseError?.(controller, error),
    });
}
