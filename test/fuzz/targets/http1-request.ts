// Fuzz target http1-request: what the engine understands of a client's bytes, against Node's strict parser, and however they are cut.
import { REQUEST_CHUNKS } from '../../conformance/corpus/request-chunks.ts';
import { REQUEST_HEADS } from '../../conformance/corpus/request-heads.ts';
import { REQUEST_LENGTHS } from '../../conformance/corpus/request-lengths.ts';
import { SOUND_SEQUENCES } from '../../conformance/corpus/request-sequences.ts';
import { post } from '../../conformance/corpus/form.ts';
import { disagreement, knownToNode, readByEngine, StrictNode, type EngineReading } from '../../support/two-readers.ts';
import type { FuzzTarget } from '../target.ts';

const WORDS = [
  ...['\r\n', '\r\n\r\n', '\n', '\r', '\0', ' ', '\t', ':', ';', ',', '0\r\n\r\n', '3\r\nabc\r\n', ';a=b', ';a="b"', '%2F', '%00', '../'],
  ...['Content-Length: 3\r\n', 'Transfer-Encoding: chunked\r\n', 'Host: a\r\n', 'Connection: close\r\n', 'Expect: 100-continue\r\n'],
  ...[
    'Upgrade: websocket\r\nConnection: upgrade\r\n',
    'HTTP/1.1',
    'HTTP/1.0',
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST ',
    'http://a/',
    'chunked',
  ],
];

export const http1Request: FuzzTarget = {
  name: 'http1-request',
  summary: 'Requests of clients, against a strict parser, and the same however they are cut',
  seeds: [
    ...[...REQUEST_LENGTHS, ...REQUEST_HEADS, ...SOUND_SEQUENCES].map(({ bytes }) => bytes),
    ...REQUEST_CHUNKS.map(({ bytes }) => `${post('Transfer-Encoding: chunked')}${bytes}`),
  ].filter(({ length }) => length < 4096),
  dictionary: WORDS,
  parallel: 64,
  open: (random) => {
    const idle: StrictNode[] = [];
    const run = async (input: string): Promise<string> => {
      const node = idle.pop() ?? new StrictNode();
      const reading = await readByEngine([input]);
      const problem = disagreement(reading.requests, await node.read(input));
      idle.push(node);
      if (problem !== null && knownToNode(reading.requests)) throw new Error(problem);
      const cut = Math.floor(random() * input.length);
      const again = await readByEngine([input.slice(0, cut), input.slice(cut)]);
      if (told(again) !== told(reading)) throw new Error(`cut at ${cut} it is read as ${told(again)}, whole as ${told(reading)}`);
      return outcome(reading);
    };
    return Promise.resolve({ run, close: () => Promise.resolve() });
  },
};

/** How much of a body that is not complete was handed on depends on the cut, and on nothing else. */
function told({ requests, refused, ended }: EngineReading): string {
  return JSON.stringify([requests.map((request) => (request.complete ? request : { ...request, body: '' })), refused, ended]);
}

function outcome({ requests, sent, ended }: EngineReading): string {
  const answers = [...sent.matchAll(/HTTP\/1\.1 (\d{3})[\s\S]*?\r\n\r\n([a-z_]*)/g)].map(([, status = '', code = '']) => status + code);
  return [...requests.map(({ method, body, complete }) => `${method} ${Math.min(body.length, 4)} ${complete}`), ...answers, ended].join(
    '|',
  );
}
