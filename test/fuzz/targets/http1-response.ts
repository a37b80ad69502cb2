// Fuzz target http1-response: what an origin answers, through the whole data plane, against Node's strict client asking the origin itself.
import { request, type IncomingMessage } from 'node:http';
import { BROKEN_OFF_RESPONSES, REFUSED_RESPONSES, SOUND_RESPONSES } from '../../conformance/corpus/responses.ts';
import { startRawOrigin } from '../../support/origin.ts';
import { startProxy } from '../../support/proxy.ts';
import type { FuzzTarget, OpenTarget } from '../target.ts';

const WORDS = [
  ...[
    '\r\n',
    '\r\n\r\n',
    '\n',
    '\r',
    '\0',
    ' ',
    ':',
    ';',
    '0\r\n\r\n',
    '3\r\nabc\r\n',
    ';a=b',
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 103 \r\n\r\n',
  ],
  ...[
    'Content-Length: 3\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Connection: close\r\n',
    'Connection: keep-alive\r\n',
    '204',
    '304',
    '101',
  ],
];
const DEADLINE_MS = 10_000;

interface Got {
  readonly status: number;
  readonly body: string;
  readonly complete: boolean;
}

export const http1Response: FuzzTarget = {
  name: 'http1-response',
  summary: 'Responses of origins through the data plane, against a strict client that asks the origin itself',
  seeds: [...REFUSED_RESPONSES, ...BROKEN_OFF_RESPONSES, ...SOUND_RESPONSES]
    .map(({ bytes }) => bytes)
    .filter(({ length }) => length < 4096),
  dictionary: WORDS,
  parallel: 8,
  open: openResponses,
};

async function openResponses(): Promise<OpenTarget> {
  const endings: (() => unknown)[] = [];
  const scope = { after: (end: () => unknown) => void endings.push(end) };
  const said = new Map<string, string>();
  const origin = await startRawOrigin(scope, (exchange) => {
    if (!exchange.received.endsWith('\r\n\r\n')) return;
    const [, path = ''] = exchange.received.split(' ', 2);
    exchange.received = '';
    exchange.socket.end(said.get(path) ?? '', 'latin1');
  });
  const outlier = { consecutive: 1_000_000, minRequests: 1_000_000 };
  const proxy = await startProxy(scope, { endpoints: [origin.endpoint], cluster: { outlier }, service: { retries: { attempts: 0 } } });
  let count = 0;
  return {
    run: async (input) => {
      const path = `/${(count += 1)}`;
      said.set(path, input);
      const [through, direct] = await Promise.all([ask(proxy.port, path), ask(origin.port, path)]);
      said.delete(path);
      // What weir says itself is not the origin's.
      const own = through.status >= 502 && through.body.includes('"requestId"');
      if (through.complete && !own && JSON.stringify(through) !== JSON.stringify(direct))
        throw new Error(`through the proxy it is ${JSON.stringify(through)}, for a strict client ${JSON.stringify(direct)}`);
      return `${through.status} ${own} ${through.complete} ${Math.min(through.body.length, 4)} ${direct.status} ${direct.complete}`;
    },
    close: async () => {
      for (const end of endings.reverse()) await end();
    },
  };
}

/** Status 0: no response. Bytes behind a whole response break the connection of a strict client, not the response. */
function ask(port: number, path: string): Promise<Got> {
  const { promise, resolve, reject } = Promise.withResolvers<Got>();
  const late = setTimeout(() => reject(new Error(`no end of the answer to ${path} within ${DEADLINE_MS} ms`)), DEADLINE_MS);
  let got: IncomingMessage | null = null;
  let body = '';
  const told = (): void => resolve({ status: got?.statusCode ?? 0, body, complete: got?.complete ?? false });
  const outgoing = request({ port, host: '127.0.0.1', path, agent: false }, (response) => {
    got = response;
    response.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
    response.on('error', () => undefined);
    response.on('close', told);
  });
  outgoing.on('upgrade', (_response, socket) => {
    socket.destroy();
    resolve({ status: 101, body: '', complete: false });
  });
  outgoing.on('error', () => {
    if (got === null) told();
  });
  outgoing.end();
  return promise.finally(() => clearTimeout(late));
}
