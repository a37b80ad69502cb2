// The context file: where appliances are, by name, and how careful to be with each. One of them is the one of now.
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { CommandFailure, EXIT } from './exit.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export const CONTEXT_COLORS = ['red', 'yellow', 'green', 'blue', 'magenta', 'cyan'] as const;
export type ContextColor = (typeof CONTEXT_COLORS)[number];

/** How a context is to be handled. */
export interface ContextSettings {
  readonly name: string;
  /** Of the first line of the dashboard. */
  readonly color: ContextColor | null;
  /** Nothing is changed through it. */
  readonly readOnly: boolean;
  /** `typed`: every change of the dashboard asks for the name of what it changes; null: only dangerous ones. */
  readonly confirm: 'typed' | null;
}

export interface Context extends ContextSettings {
  readonly server: string;
  /** Absolute, or relative to the file. */
  readonly tokenFile: string | null;
  readonly ca: string | null;
}

export interface ContextFile {
  readonly path: string;
  /** The name of the context of now; null: none is chosen. */
  readonly current: string | null;
  readonly contexts: readonly Context[];
}

/** The name that a file without names gives its one context. */
export const ONLY_CONTEXT = 'default';

/** `$XDG_CONFIG_HOME/weir`; relative values of the variable do not count (XDG Base Directory Specification). */
export function configDirectory(env: Environment): string {
  const base = env['XDG_CONFIG_HOME'] ?? '';
  return join(isAbsolute(base) ? base : join(env['HOME'] ?? homedir(), '.config'), 'weir');
}

export function contextFile(env: Environment): string {
  return join(configDirectory(env), 'config.yaml');
}

/** Null: there is no such file. Throws CommandFailure when it cannot be understood. */
export async function readContexts(env: Environment): Promise<ContextFile | null> {
  const path = contextFile(env);
  if (!existsSync(path)) return null;
  const { parse } = await import('yaml');
  let value: unknown;
  try {
    value = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw usage(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return decodeFile(value, path);
}

/** The context by its name, or the one of now; null: there is none. */
export function chosenContext(file: ContextFile | null, name: string | null): Context | null {
  if (name === null && file?.current === null) return null;
  const wanted = name ?? file?.current ?? null;
  if (wanted === null) return null;
  const found = file?.contexts.find((context) => context.name === wanted);
  if (found !== undefined) return found;
  const names = file?.contexts.map((context) => context.name) ?? [];
  const known = names.length === 0 ? '`weir context add` makes one' : `there are ${names.join(', ')}`;
  throw new CommandFailure(EXIT.notFound, `no context named ${JSON.stringify(wanted)}; ${known}`);
}

/** Written whole beside the file and moved in its place, readable by its owner alone. */
export async function writeContexts({ path, current, contexts }: ContextFile): Promise<void> {
  const { stringify } = await import('yaml');
  const shown = Object.fromEntries(
    contexts.map(({ name, server, tokenFile, ca, color, readOnly, confirm }) => [
      name,
      {
        server,
        ...(tokenFile === null ? {} : { tokenFile }),
        ...(ca === null ? {} : { ca }),
        ...(color === null ? {} : { color }),
        ...(readOnly ? { readOnly } : {}),
        ...(confirm === null ? {} : { confirm }),
      },
    ]),
  );
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.new`, stringify({ ...(current === null ? {} : { current }), contexts: shown }), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** What others may do with the file that they should not; null: nothing. */
export function looseRights(path: string): string | null {
  const mode = statSync(path).mode & 0o777;
  return (mode & 0o077) === 0 ? null : `${path} is open to others (mode ${mode.toString(8)}): chmod 600 ${path}`;
}

const FILE_KEYS = ['current', 'contexts'] as const;
const CONTEXT_KEYS = ['server', 'tokenFile', 'ca', 'color', 'readOnly', 'confirm'] as const;

/** With `contexts:`, or the keys of one context alone. */
function decodeFile(value: unknown, path: string): ContextFile {
  const fields = record(value, path, `expected the keys ${FILE_KEYS.join(', ')}, or those of one context: ${CONTEXT_KEYS.join(', ')}`);
  if (!fields.has('contexts')) {
    const only = decodeContext(ONLY_CONTEXT, fields, path);
    return { path, current: ONLY_CONTEXT, contexts: [only] };
  }
  refuseOthers(fields, FILE_KEYS, path);
  const named = record(fields.get('contexts'), `${path}: contexts`, 'expected contexts by name');
  const contexts = [...named].map(([name, context]) =>
    decodeContext(name, record(context, `${path}: ${name}`, 'expected its keys'), `${path}: ${name}`),
  );
  const current = fields.get('current') ?? null;
  if (current !== null && typeof current !== 'string')
    throw usage(`${path}: current: expected the name of a context, got ${JSON.stringify(current)}`);
  if (current !== null && !named.has(current))
    throw usage(`${path}: current: no context named ${JSON.stringify(current)}; there are ${[...named.keys()].join(', ')}`);
  return { path, current, contexts };
}

function decodeContext(name: string, fields: ReadonlyMap<string, unknown>, where: string): Context {
  refuseOthers(fields, CONTEXT_KEYS, where);
  const text = (key: string): string | null => {
    const value = fields.get(key) ?? null;
    if (value !== null && typeof value !== 'string') throw usage(`${where}: ${key}: expected text, got ${JSON.stringify(value)}`);
    return value;
  };
  const server = text('server');
  if (server === null) throw usage(`${where}: server is missing, e.g. server: https://edge-1:7070`);
  const readOnly = fields.get('readOnly') ?? false;
  if (typeof readOnly !== 'boolean') throw usage(`${where}: readOnly: expected true or false, got ${JSON.stringify(readOnly)}`);
  return {
    ...{ name, server, readOnly },
    tokenFile: text('tokenFile'),
    ca: text('ca'),
    color: oneOf(CONTEXT_COLORS, text('color'), `${where}: color`),
    confirm: oneOf(['typed'] as const, text('confirm'), `${where}: confirm`),
  };
}

/** Throws a usage failure for a word that is none of them. */
export function oneOf<T extends string>(words: readonly T[], word: string | null, what: string): T | null {
  if (word === null) return null;
  const found = words.find((known) => known === word);
  if (found === undefined) throw usage(`${what}: expected one of ${words.join(', ')}, got ${JSON.stringify(word)}`);
  return found;
}

function record(value: unknown, where: string, expected: string): ReadonlyMap<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw usage(`${where}: ${expected}`);
  return new Map<string, unknown>(Object.entries(value));
}

function refuseOthers(fields: ReadonlyMap<string, unknown>, known: readonly string[], where: string): void {
  for (const key of fields.keys())
    if (!known.includes(key)) throw usage(`${where}: unknown key ${JSON.stringify(key)}, expected ${known.join(', ')}`);
}

function usage(message: string): CommandFailure {
  return new CommandFailure(EXIT.usage, message);
}
