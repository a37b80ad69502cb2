// weir describe: everything the appliance knows about one thing, laid out for reading.
import type { CacheView, ListView, ResultsView, RevisionView } from '../../balancer/controller/api/views.ts';
import type { ListKind } from '../client.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { CommandFailure, EXIT, type ExitCode } from '../exit.ts';
import { share } from '../format.ts';
import { writeResult } from '../output.ts';
import { resultsText } from '../results.ts';
import { type Column, plain, table } from '../table.ts';

const KINDS: Readonly<Record<string, ListKind>> = {
  cluster: 'clusters',
  service: 'services',
  route: 'routes',
  cache: 'cache',
  edge: 'edges',
  consumer: 'consumers',
  worker: 'workers',
  agent: 'agents',
  revision: 'revisions',
};

export const describeCommand: CommandDefinition = {
  examples: [
    'weir describe cluster eu-west',
    'weir describe service shop',
    'weir describe service shop --window 15m --baseline blue',
    'weir describe consumer acme',
    'weir describe revision 12',
  ],
  arguments: [
    { name: 'KIND', summary: 'what it is', choices: Object.keys(KINDS) },
    { name: 'NAME', summary: 'its name; the cluster of an agent; the number of a revision' },
  ],
  options: [
    { flags: '--window <DURATION>', summary: 'of a service: over how long its versions are held side by side, 1m to 24h (default 1h)' },
    {
      flags: '--baseline <VERSION>',
      summary: 'of a service: what the others are held against (default: the version with the largest share)',
    },
  ],
  run: async (call) => {
    const kind = KINDS[call.values.argument(0)];
    if (kind === undefined) throw new CommandFailure(EXIT.usage, `expected one of ${Object.keys(KINDS).join(', ')}`);
    const client = await call.connect();
    const name = call.values.argument(1);
    const list = await client.list<object>(kind, { name });
    if (kind === 'services') return describeService(call, list, await client.results(name, resultsAsked(call)));
    if (call.values.text('window') !== null || call.values.text('baseline') !== null)
      throw new CommandFailure(EXIT.usage, '--window and --baseline are for a service');
    if (kind === 'routes') return describeRoute(call, list, (await client.list<CacheView>('cache')).items);
    await writeResult(call, list, list.items.map((item) => layOut(readable(item), 0)).join('\n'));
    return EXIT.ok;
  },
};

const DAY_MS = 86_400_000;

function resultsAsked({ values }: CommandCall): { readonly windowSeconds: number; readonly baseline: string | null } {
  const windowMs = values.durationMs('window') ?? 3_600_000;
  if (windowMs < 60_000 || windowMs > DAY_MS) throw new CommandFailure(EXIT.usage, '--window: expected 1m to 24h');
  return { windowSeconds: Math.round(windowMs / 1000), baseline: values.text('baseline') };
}

async function describeService(call: CommandCall, list: ListView<object>, { items }: ListView<ResultsView>): Promise<ExitCode> {
  const [results] = items;
  const whole = { ...list, items: list.items.map((item) => ({ ...item, results })) };
  const laidOut = list.items.map((item) => layOut(item, 0)).join('\n');
  await writeResult(call, whole, results === undefined ? laidOut : `${laidOut}${resultsText(results, call.terminal.color)}`);
  return EXIT.ok;
}

/** With what it has stored, where it stores. */
async function describeRoute(call: CommandCall, list: ListView<object>, caches: readonly CacheView[]): Promise<ExitCode> {
  const items = list.items.map((item) => {
    const stored = caches.find(({ route }) => 'name' in item && item.name === route);
    if (stored === undefined) return item;
    return { ...item, cache: Object.fromEntries(Object.entries(stored).filter(([key]) => key !== 'route' && key !== 'service')) };
  });
  await writeResult(call, { ...list, items }, items.map((item) => layOut(item, 0)).join('\n'));
  return EXIT.ok;
}

/** The fields a revision touched with both values in one line each, and what its maker saw as tables; everything else reads well as it is. */
function readable(item: object): object {
  if (!isRevision(item)) return item;
  const touched = item.touched.map((field) => ({
    field: field.path.join('.'),
    before: JSON.stringify(field.before),
    after: JSON.stringify(field.after),
  }));
  const { inputs, ...said } = item;
  return { ...said, touched, ...(inputs === undefined ? {} : seenThen(inputs)) };
}

function isRevision(item: object): item is Pick<RevisionView, 'touched' | 'inputs'> {
  return 'touched' in item && Array.isArray(item.touched);
}

function seenThen({ services, clusters }: NonNullable<RevisionView['inputs']>): object {
  return {
    servicesThen: Object.entries(services).map(([service, { rps, shares, lost }]) => ({
      ...{ service, rps },
      shares: Object.entries(shares).map(([place, millionths]) => `${place} ${share(millionths / 1e6)}`),
      lost: share(lost / 1e6),
    })),
    clustersThen: Object.entries(clusters).map(([cluster, { state, rps, capacityRps }]) => ({
      cluster,
      state,
      rps,
      capacity: capacityRps,
    })),
  };
}

const INDENT = '  ';

/** Plain values as `Label: value`, objects indented below their label, lists of objects as tables. */
export function layOut(item: object, depth: number): string {
  const pad = INDENT.repeat(depth);
  const entries = Object.entries(item) as readonly (readonly [string, unknown])[];
  const width = Math.max(0, ...entries.filter(([, value]) => isScalar(value)).map(([key]) => label(key).length + 1));
  return entries.map(([key, value]) => entry(key, value, { pad, width, depth })).join('');
}

interface Place {
  readonly pad: string;
  readonly width: number;
  readonly depth: number;
}

function entry(key: string, value: unknown, { pad, width, depth }: Place): string {
  if (isScalar(value)) return `${pad}${`${label(key)}:`.padEnd(width)} ${scalar(value)}\n`;
  if (!Array.isArray(value)) return `${pad}${label(key)}:\n${layOut(value, depth + 1)}`;
  const items: readonly unknown[] = value;
  if (items.every(isScalar)) return `${pad}${label(key)}: ${items.length === 0 ? 'none' : items.map(scalar).join(', ')}\n`;
  const rows = items.filter((one): one is object => !isScalar(one));
  const indented = table(rows, columnsOf(rows)).replaceAll(/^(?=.)/gm, `${pad}${INDENT}`);
  return `${pad}${label(key)}:\n${indented}`;
}

/** A column per plain field of the first row; what is nested deeper is in `-o json`. */
function columnsOf(rows: readonly object[]): readonly Column<object>[] {
  const fields = Object.entries(rows[0] ?? {}) as readonly (readonly [string, unknown])[];
  return fields
    .filter(([, value]) => isScalar(value) || (Array.isArray(value) && value.every(isScalar)))
    .map(([key]) => ({ title: label(key).toUpperCase(), of: (row) => cell((row as Readonly<Record<string, unknown>>)[key]) }));
}

function cell(value: unknown): string {
  return Array.isArray(value) ? value.map(scalar).join(',') : scalar(value);
}

type Scalar = string | number | boolean | null | undefined;

function isScalar(value: unknown): value is Scalar {
  return value === null || typeof value !== 'object';
}

function scalar(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-';
  if (typeof value === 'number') return String(Number(value.toFixed(6)));
  return plain(typeof value === 'string' ? value : JSON.stringify(value));
}

/** `residentBytes` reads `resident bytes`. Names of versions and clusters are keys too and stay as they are: they have no capitals. */
function label(key: string): string {
  return key.replaceAll(/([a-z0-9])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`);
}
