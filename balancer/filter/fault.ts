// Filter fault: some requests wait or fail on purpose, to see what clients make of it.
import { Type, type Static } from '../schema/type.ts';
import { durationMs, percentRatio } from '../config/quantities.ts';
import { duration, mapping, valueOf } from '../config/schema-parts.ts';
import { fieldValue } from '../message/fields.ts';
import type { LocalReply } from '../message/response.ts';
import type { FilterDefinition } from './filter.ts';

const percent = valueOf('percent', 'Part of the requests', '100%');
/** Requests that wait take memory. */
const LONGEST_MS = 60_000;

const schema = mapping(
  {
    delay: Type.Optional(mapping({ time: duration('How long they wait', '1s'), percent }, 'Requests that wait before they go on')),
    abort: Type.Optional(
      mapping(
        { status: Type.Integer({ minimum: 400, maximum: 599, default: 503, description: 'Status of the answer' }), percent },
        'Requests that fail',
      ),
    ),
    header: Type.Optional(valueOf('fieldName', 'Only requests with this field; absent: all')),
    value: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'Value that the field must have; absent: any' })),
  },
  'Options of fault',
);

type File = Static<typeof schema>;

/** As worked out by `complete`; null: none. */
interface Options {
  readonly delay: { readonly ms: number; readonly ratio: number } | null;
  readonly abort: { readonly status: number; readonly ratio: number } | null;
  /** Empty: all requests. */
  readonly header: string;
  /** Empty: any. */
  readonly value: string;
}

export const fault: FilterDefinition = {
  name: 'fault',
  summary: 'Lets some requests wait or fail on purpose.',
  schema,
  example: '{ delay: { time: 2ms, percent: 10% }, abort: { status: 503, percent: 1% }, header: x-chaos }',
  notes: [
    'Delay and abort are drawn for each request apart: one that waits may fail too, after it has waited. Those that fail are answered by weir, say so in their body, ' +
      'and never reach the service: they count neither against its health nor in its results. `weir_faults_total` counts both.',
  ],
  problem(options) {
    const { delay, abort, header, value } = options as File;
    if (delay === undefined && abort === undefined) return 'fault: nothing is to go wrong; name delay, abort or both';
    return value !== undefined && header === undefined ? 'fault: value does nothing without header; name the field' : null;
  },
  complete(options, place) {
    const { delay, abort, header = '', value = '' } = options as File;
    const ms = delay === undefined ? 0 : durationMs(delay.time);
    if (ms > LONGEST_MS) place.report(['delay', 'time'], `requests that wait take memory; expected at most ${LONGEST_MS / 1000}s`);
    return {
      delay: delay === undefined ? null : { ms, ratio: percentRatio(delay.percent) },
      abort: abort === undefined ? null : { status: abort.status, ratio: percentRatio(abort.percent) },
      header: header.toLowerCase(),
      value,
    } satisfies Options;
  },
  create(options, { clock, random, meter, route }) {
    const { delay, abort, header, value } = options as Options;
    const delayed = meter.counter('weir_faults_total', [route, 'delayed']);
    const aborted = meter.counter('weir_faults_total', [route, 'aborted']);
    const draw = (): LocalReply | undefined => {
      if (abort === null || random() >= abort.ratio) return undefined;
      aborted.add(1);
      return {
        status: abort.status,
        fields: ['content-type', 'text/plain; charset=utf-8', 'cache-control', 'no-store'],
        body: 'This fault was made on purpose\n',
      };
    };
    return {
      onRequest({ fields }) {
        const given = header === '' ? '' : fieldValue(fields, header);
        if (given === undefined || (value !== '' && given !== value)) return undefined;
        if (delay === null || random() >= delay.ratio) return draw();
        delayed.add(1);
        return new Promise((resolve) => {
          clock.after(delay.ms, () => resolve(draw()));
        });
      },
    };
  },
};
