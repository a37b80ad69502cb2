// What may come next on a command line, from the same data that makes the help. Names of things are looked up where the appliance is.
import type { ArgumentSpec, CommandDefinition, CommandEntry, CommandGroup } from './command.ts';

/** Kinds of names that only the appliance knows. */
export type NameKind = 'clusters' | 'services' | 'versions' | 'contexts' | 'views' | ListedKind;

/** Those that `weir get` lists by the same name. */
type ListedKind = 'consumers' | 'tokens' | 'approvals' | 'drills' | 'routes' | 'revisions' | 'workers' | 'edges';

/** Names of a kind; for versions those of `service`. [] when nothing can be asked. */
export type LookUp = (kind: NameKind, service: string) => Promise<readonly string[]>;

const GLOBAL_OPTIONS = ['--server', '--context', '--output', '--no-color', '--help'];
const FORMATS = ['table', 'wide', 'json', 'jsonl', 'yaml', 'name'];

/** Candidates for the last of `words` (without `weir`); the last may be empty. */
export async function complete(groups: readonly CommandGroup[], words: readonly string[], lookUp: LookUp): Promise<readonly string[]> {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const last = before.at(-1) ?? '';
  if (last === '--context') return (await lookUp('contexts', '')).filter((name) => name.startsWith(current));
  if (last === '-o' || last === '--output') return FORMATS.filter((format) => format.startsWith(current));
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
  if (valued !== undefined)
    return valued.choices ?? (valued.flags.includes('CONDITION') ? conditions(place) : named(valued.flags, typed, place));
  if (place.current.startsWith('-'))
    return [...flags.flatMap((option) => option.words.filter((word) => word.startsWith('--'))), ...GLOBAL_OPTIONS];
  const operands = typed.filter((word) => !word.startsWith('-'));
  const spec = argumentAt(definition.arguments ?? [], operands.length);
  if (spec === undefined) return [];
  // `weir get clusters`, `weir describe route`: the word before says of what.
  if (spec.name === 'NAME') return place.lookUp(kindOf(operands[0] ?? ''), '');
  return spec.choices ?? named(spec.name, operands, place);
}

const HEALTH_STATES = ['up', 'degraded', 'down', 'unknown'];
const AGENT_STATES = ['fresh', 'stale', 'absent'];

/** What `wait` takes, piece by piece: its kinds, then the names, then the states. */
async function conditions({ current, lookUp }: Place): Promise<readonly string[]> {
  const [kind = '', name] = current.split(/[:=]/);
  if (!current.includes(':')) return ['stable', 'revision:', 'health:', 'agent:', 'share:', 'rollout:', 'empty:', 'idle:'];
  const names = async (of: NameKind, ending: string): Promise<readonly string[]> =>
    (await lookUp(of, '')).map((each) => `${kind}:${each}${ending}`);
  switch (kind) {
    case 'health':
    case 'agent':
      if (!current.includes('=')) return names('clusters', '=');
      return (kind === 'health' ? HEALTH_STATES : AGENT_STATES).map((state) => `${kind}:${name ?? ''}=${state}`);
    case 'share': {
      const [service = '', version] = (name ?? '').split('/');
      if (version === undefined) return names('services', '/');
      return (await lookUp('versions', service)).map((each) => `share:${service}/${each}>=`);
    }
    case 'rollout':
      return names('services', '');
    case 'empty':
    case 'idle':
      return names('clusters', '');
    default:
      return [];
  }
}

const KINDS: readonly NameKind[] = ['clusters', 'services', 'routes', 'consumers', 'drills', 'approvals', 'revisions', 'workers', 'edges'];

function kindOf(word: string): NameKind {
  return KINDS.find((kind) => kind === word || kind === `${word}s`) ?? 'tokens';
}

function argumentAt(specs: readonly ArgumentSpec[], index: number): ArgumentSpec | undefined {
  const last = specs.at(-1);
  return specs[index] ?? (last?.variadic === true ? last : undefined);
}

/** What else has names that somebody would rather not type. */
const PLACEHOLDERS: readonly (readonly [string, NameKind])[] = [
  ['--view', 'views'],
  ['CONTEXT', 'contexts'],
  ['CONSUMER', 'consumers'],
  ['APPROVAL', 'approvals'],
  ['DRILL', 'drills'],
  ['ROUTE', 'routes'],
  ['REVISION', 'revisions'],
  ['REV', 'revisions'],
];

/** The word in the help tells what the value names: SERVICE, CLUSTER, VERSION=PERCENT. */
async function named(placeholder: string, operands: readonly string[], { lookUp }: Place): Promise<readonly string[]> {
  const service = operands[0] ?? '';
  const equals = placeholder.includes('=') ? '=' : '';
  if (placeholder.includes('SERVICE')) return lookUp('services', service);
  if (placeholder.includes('VERSION')) return (await lookUp('versions', service)).map((name) => name + equals);
  const kind = PLACEHOLDERS.find(([name]) => placeholder.includes(name))?.[1];
  if (kind !== undefined) return lookUp(kind, service);
  if (placeholder.includes('CLUSTER')) return (await lookUp('clusters', service)).map((name) => name + equals);
  return [];
}
