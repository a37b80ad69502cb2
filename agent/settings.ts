// The file that tells an agent what counts in its cluster: gateways, services, what they can take. Text → settings, or all that is wrong with it.
import { readFileSync } from 'node:fs';
import { createCheck, type SchemaFailure } from '../balancer/schema/check.ts';
import { type Static, Type } from '../balancer/schema/type.ts';

/** How endpoints of a gateway are reached from the edge. */
export const ADDRESSES = ['loadBalancer', 'nodePort', 'pod'] as const;
export type AddressKind = (typeof ADDRESSES)[number];

export interface GatewaySettings {
  /** `namespace/name` of the Service. */
  readonly service: string;
  /** Name or number of its port; null: its first. */
  readonly port: string | null;
  readonly addresses: AddressKind;
  /** Requests per second that one endpoint of it can take; null: it is not what bounds the cluster. */
  readonly ratePerEndpoint: number | null;
}

export interface ServiceSettings {
  /** As the edge calls it. */
  readonly name: string;
  readonly service: string;
  readonly port: string | null;
  /** Null: learned, or not known. */
  readonly ratePerEndpoint: number | null;
  /** Learned while p95 of its answers is within; null: it is not learned. */
  readonly learnP95Ms: number | null;
  /** Where the application tells of its load; null: nowhere. */
  readonly application: string | null;
  /** 0 to 1: of its capacity, what may be used. */
  readonly scaler: number;
}

export interface AgentFile {
  readonly gateways: readonly GatewaySettings[];
  readonly services: readonly ServiceSettings[];
  /** A ceiling for the whole cluster; null: none. */
  readonly capacityRps: number | null;
}

const NAME = '[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?';
const serviceKey = Type.String({ pattern: `^${NAME}/${NAME}$`, expected: 'NAMESPACE/NAME of a Service' });
const port = Type.Optional(Type.Union([Type.String({ pattern: '^[a-z0-9-]{1,63}$' }), Type.Integer({ minimum: 1, maximum: 65_535 })]));
const rate = Type.Number({ exclusiveMinimum: 0, maximum: 1e9, expected: 'requests per second, above 0' });
const closed = { additionalProperties: false };

const gateway = Type.Object(
  {
    service: serviceKey,
    port,
    addresses: Type.Optional(Type.Unsafe<AddressKind>({ enum: ADDRESSES, expected: ADDRESSES.join(', ') })),
    ratePerEndpoint: Type.Optional(rate),
  },
  closed,
);

const service = Type.Object(
  {
    service: serviceKey,
    port,
    ratePerEndpoint: Type.Optional(rate),
    learn: Type.Optional(
      Type.Object({ p95: Type.String({ pattern: '^[0-9]+(\\.[0-9]+)?(ms|s)$', expected: 'a duration such as 200ms' }) }, closed),
    ),
    application: Type.Optional(Type.String({ pattern: '^https?://[^\\s]+$', expected: 'http://HOST:PORT/PATH' })),
    scaler: Type.Optional(Type.Number({ minimum: 0, maximum: 1, expected: '0 to 1' })),
  },
  closed,
);

const schema = Type.Object(
  {
    gateways: Type.Optional({ ...Type.Array(gateway), maxItems: 20 }),
    services: Type.Optional(
      Type.Record(Type.String({ pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' }), service, { ...closed, maxProperties: 200 }),
    ),
    capacity: Type.Optional(Type.Object({ rps: Type.Optional(rate) }, closed)),
  },
  closed,
);

export type ReadSettings =
  { readonly ok: true; readonly settings: AgentFile } | { readonly ok: false; readonly problems: readonly string[] };

/** Every problem at once. Async, as YAML is loaded only for this. */
export async function parseAgentFile(text: string): Promise<ReadSettings> {
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text, { uniqueKeys: true });
  if (document.errors.length > 0) return { ok: false, problems: document.errors.map(({ message }) => message.split('\n')[0] ?? message) };
  const value: unknown = document.toJS() ?? {};
  const failures = createCheck(schema)(value);
  if (failures.length > 0) return { ok: false, problems: failures.map(problemOf) };
  return checkTogether(complete(value as Static<typeof schema>));
}

/** As above, of a file. */
export async function readAgentFile(path: string): Promise<ReadSettings> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return { ok: false, problems: [`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`] };
  }
  const read = await parseAgentFile(text);
  return read.ok ? read : { ok: false, problems: read.problems.map((problem) => `${path}: ${problem}`) };
}

function complete(file: Static<typeof schema>): AgentFile {
  return {
    gateways: (file.gateways ?? []).map(({ service: key, port: named, addresses, ratePerEndpoint }) => ({
      service: key,
      port: named === undefined ? null : String(named),
      addresses: addresses ?? 'loadBalancer',
      ratePerEndpoint: ratePerEndpoint ?? null,
    })),
    services: Object.entries(file.services ?? {}).map(([name, of]) => ({
      name,
      service: of.service,
      port: of.port === undefined ? null : String(of.port),
      ratePerEndpoint: of.ratePerEndpoint ?? null,
      learnP95Ms: of.learn === undefined ? null : durationMs(of.learn.p95),
      application: of.application ?? null,
      scaler: of.scaler ?? 1,
    })),
    capacityRps: file.capacity?.rps ?? null,
  };
}

function checkTogether(settings: AgentFile): ReadSettings {
  const problems = settings.services.flatMap(({ name, ratePerEndpoint, learnP95Ms }) =>
    ratePerEndpoint !== null && learnP95Ms !== null
      ? [`services.${name}: ratePerEndpoint and learn stand together; keep one of them, a rate is declared or learned`]
      : [],
  );
  if (settings.gateways.length + settings.services.length === 0)
    problems.push(
      'there are neither gateways nor services; expected at least one of them: without a Service nothing can be told of the cluster',
    );
  return problems.length > 0 ? { ok: false, problems } : { ok: true, settings };
}

function problemOf({ path, keyword, params, data, schema: { expected, properties } }: SchemaFailure): string {
  const at = path.join('.') || 'the file';
  if (keyword === 'additionalProperties') return `${at}: there is no such key; expected ${keysOf(properties)}`;
  if (keyword === 'required') return `${at}: ${String(Reflect.get(Object(params), 'missingProperty'))} is missing`;
  return `${at}: ${JSON.stringify(data)}${typeof expected === 'string' ? `, expected ${expected}` : ' does not fit'}`;
}

function keysOf(properties: unknown): string {
  return typeof properties === 'object' && properties !== null ? Object.keys(properties).join(', ') : 'none';
}

function durationMs(text: string): number {
  return text.endsWith('ms') ? Number(text.slice(0, -2)) : Number(text.slice(0, -1)) * 1000;
}
