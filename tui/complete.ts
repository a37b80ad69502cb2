// What may come next on a command line, from the same data that makes the help. Names of things are looked up where the appliance is.
import type { ArgumentSpec, CommandDefinition, CommandEntry, CommandGroup } from './command.ts';

/** Kinds of names that only the appliance knows. */
export type NameKind = 'clusters' | 'services' | 'versions';

/** Names of a kind; for versions those of `service`. [] when nothing can be asked. */
export type LookUp = (kind: NameKind, service: string) => Promise<readonly string[]>;

const GLOBAL_OPTIONS = ['--server', '--output', '--no-color', '--help'];

/** Candidates for the last of `words` (without `weir`); the last may be empty. */
export async function complete(groups: readonly CommandGroup[], words: readonly string[], lookUp: LookUp): Promise<readonly string[]> {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const candidates = await after(entriesOf(groups), before, { current, lookUp });
  return [...new Set(candidates)].filter((candidate) => candidate.startsWith(current));
}

function entriesOf(groups: readonly CommandGroup[]): readonly CommandEntry[] {
  return groups.flatMap((group) => group.commands).filter((entry) => entry.hidden !== true);
}

interface Place {
  readonly current: string;
  readonly lookUp: LookUp;
}

async function after(entries: readonly CommandEntry[], before: readonly string[], place: Place): Promise<readonly string[]> {
  const [word, ...rest] = before;
  if (word === undefined) return [...entries.map((entry) => entry.name), ...(place.current.startsWith('-') ? GLOBAL_OPTIONS : [])];
  const entry = entries.find((one) => one.name === word);
  // A global option, or its value, before the command's name.
  if (entry === undefined) return after(entries, rest, place);
  const definition = await entry.load();
  const sub = definition.subcommands?.find((one) => one.name === rest[0]);
  if (sub !== undefined) return after([sub], rest, place);
  const names = rest.length === 0 ? (definition.subcommands ?? []).map((one) => one.name) : [];
  return [...names, ...(await within(definition, rest, place))];
}

async function within(definition: CommandDefinition, typed: readonly string[], place: Place): Promise<readonly string[]> {
  const flags = (definition.options ?? []).map((option) => ({ ...option, words: option.flags.split(/[ ,]+/) }));
  const last = typed.at(-1) ?? '';
  const valued = flags.find((option) => option.words.includes(last) && option.flags.includes('<'));
  if (valued !== undefined) return valued.choices ?? named(valued.flags, typed, place);
  if (last === '-o' || last === '--output') return ['table', 'wide', 'json', 'yaml'];
  if (place.current.startsWith('-'))
    return [...flags.flatMap((option) => option.words.filter((word) => word.startsWith('--'))), ...GLOBAL_OPTIONS];
  const operands = typed.filter((word) => !word.startsWith('-'));
  const spec = argumentAt(definition.arguments ?? [], operands.length);
  return spec === undefined ? [] : (spec.choices ?? named(spec.name, operands, place));
}

function argumentAt(specs: readonly ArgumentSpec[], index: number): ArgumentSpec | undefined {
  const last = specs.at(-1);
  return specs[index] ?? (last?.variadic === true ? last : undefined);
}

/** The word in the help tells what the value names: SERVICE, CLUSTER, VERSION=PERCENT. */
async function named(placeholder: string, operands: readonly string[], { lookUp }: Place): Promise<readonly string[]> {
  const service = operands[0] ?? '';
  const equals = placeholder.includes('=') ? '=' : '';
  if (placeholder.includes('SERVICE')) return lookUp('services', service);
  if (placeholder.includes('VERSION')) return (await lookUp('versions', service)).map((name) => name + equals);
  if (placeholder.includes('CLUSTER')) return (await lookUp('clusters', service)).map((name) => name + equals);
  return [];
}
