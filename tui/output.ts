// Data on stdout in the format that was asked for; the JSON shape is `{"kind","revision","items":[…]}` for every command.
import type { ListView } from '../balancer/controller/api/views.ts';
import type { CommandCall, OutputFormat } from './command.ts';
import { type Column, plain, table } from './table.ts';

/** Writes a list: as a table by `columns`, or whole as JSON or YAML. */
export async function writeList<T>(call: CommandCall, list: ListView<T>, columns: readonly Column<T>[]): Promise<void> {
  const { format, terminal } = call;
  if (isStructured(format)) return writeStructured(call, list);
  const shown = columns.filter((column) => column.wide !== true || format === 'wide');
  if (list.items.length === 0) terminal.message(`no ${list.kind}`);
  await terminal.data(table(list.items, shown, terminal.color));
}

/** Writes `text` for people, or the list as JSON or YAML for programs. */
export async function writeResult(call: CommandCall, list: ListView<unknown>, text: string): Promise<void> {
  if (isStructured(call.format)) return writeStructured(call, list);
  await call.terminal.data(text);
}

/** Whether a program reads the data; then nothing but the data may be on stdout. */
export function isStructured(format: OutputFormat): boolean {
  return format === 'json' || format === 'jsonl' || format === 'yaml' || format === 'name';
}

async function writeStructured(call: CommandCall, { kind, revision, items }: ListView<unknown>): Promise<void> {
  if (call.format === 'name') return call.terminal.data(items.map((item) => `${nameOf(item)}\n`).join(''));
  if (call.format === 'jsonl') return call.terminal.data(items.map((item) => `${JSON.stringify(item)}\n`).join(''));
  const value = { kind, revision, items };
  if (call.format === 'json') return call.terminal.data(`${JSON.stringify(value, null, 2)}\n`);
  const { stringify } = await import('yaml');
  await call.terminal.data(stringify(value));
}

/** Writes documents as one stream of YAML, or as a JSON list where a program asks for that. */
export async function writeYamlDocuments({ format, terminal }: CommandCall, documents: readonly object[]): Promise<void> {
  if (format === 'json') return terminal.data(`${JSON.stringify(documents, null, 2)}\n`);
  const { stringify } = await import('yaml');
  // Parts that several objects share are written out in each: an alias is nothing that people look for in a manifest.
  const texts = documents.map((document) => stringify(document, { aliasDuplicateObjects: false, lineWidth: 0 }));
  await terminal.data(texts.join('---\n'));
}

/** What tells items of a list apart: what is typed to name one. */
const NAMES = ['name', 'id', 'revision', 'cluster', 'service', 'route', 'consumer', 'local', 'sequence', 'condition', 'host'] as const;

function nameOf(item: unknown): string {
  if (typeof item !== 'object' || item === null) return plain(String(item));
  const fields = new Map<string, unknown>(Object.entries(item));
  const name = NAMES.map((each) => fields.get(each)).find((value) => typeof value === 'string' || typeof value === 'number');
  return name === undefined ? '-' : plain(String(name));
}
