// Fuzz target http2-response: frames of an endpoint to our engine: one end for each request, sound frames back, and the same however they are cut.
import * as frames from '../../../balancer/http2/frame.ts';
import { block, data, head } from '../../support/h2-client.ts';
import { readFramesOfEndpoint, type AnswersReading } from '../../support/frame-readings.ts';
import type { FuzzTarget } from '../target.ts';
import { FRAME_WORDS } from './http2-request.ts';

const text = (...parts: readonly (Buffer | string)[]): string =>
  parts.map((part) => (typeof part === 'string' ? part : part.toString('latin1'))).join('');
const OK = [':status', '200'];

export const http2Response: FuzzTarget = {
  name: 'http2-response',
  summary: 'HTTP/2 frames of endpoints: one end for each request, and the same however they are cut',
  seeds: [
    text(head(1, OK)),
    text(head(1, [...OK, 'content-length', '3'], false), data(1, 'abc', true)),
    text(head(1, [':status', '103', 'link', '</a>'], false), head(1, OK, false), data(1, 'abc', false), head(1, ['grpc-status', '0'])),
    text(head(3, OK, false), data(3, 'early', true), head(1, [':status', '204'])),
    text(head(1, OK, false), frames.rstStreamFrame(1, 2), frames.rstStreamFrame(3, 7)),
    text(frames.goAwayFrame(1, 0, ''), head(1, OK)),
    text(frames.settingsFrame([4, 1]), frames.windowUpdateFrame(3, 5), frames.windowUpdateFrame(0, 5), head(3, OK)),
  ],
  dictionary: [...FRAME_WORDS, text(head(1, OK)), text(head(3, OK, false)), text(head(1, OK, false)), block(['content-length', '3'])],
  parallel: 16,
  open: (random) =>
    Promise.resolve({
      run: async (input) => {
        const whole = await readFramesOfEndpoint([input]);
        const cut = Math.floor(random() * input.length);
        const again = await readFramesOfEndpoint([input.slice(0, cut), input.slice(cut)]);
        if (told(again) !== told(whole)) throw new Error(`cut at ${cut} it is read as ${told(again)}, whole as ${told(whole)}`);
        return outcome(whole);
      },
      close: () => Promise.resolve(),
    }),
};

function told({ answers, closed }: AnswersReading): string {
  return JSON.stringify([answers.map((answer) => (answer.trailers === null ? { ...answer, body: '' } : answer)), closed]);
}

function outcome({ answers, closed }: AnswersReading): string {
  const short = answers.map(
    ({ status, body, trailers, failed }) => `${status} ${Math.min(body.length, 4)} ${trailers?.length ?? ''} ${failed}`,
  );
  return [...short, closed].join('|');
}
