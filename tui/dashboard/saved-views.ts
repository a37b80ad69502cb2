// Views that somebody saved, in a file of that user: how a screen is filtered, ordered and which columns it has.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { configDirectory } from '../contexts.ts';
import { CommandFailure, EXIT } from '../exit.ts';
import { SCREENS } from './screens/registry.ts';
import type { SavedView, ScreenName } from './state.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export function viewsFile(env: Environment): string {
  return join(configDirectory(env), 'views.json');
}

/** By name; empty without a file. Throws CommandFailure when it cannot be understood. */
export function readViews(env: Environment): ReadonlyMap<string, SavedView> {
  const path = viewsFile(env);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return new Map();
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('expected views by name');
    return new Map(Object.entries(value).map(([name, view]) => [name, decodeView(view, name)]));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandFailure(EXIT.usage, `${path}: ${why}; mend it, or remove the file`);
  }
}

/** In place of one of the same name. */
export function saveView(env: Environment, name: string, view: SavedView): void {
  const path = viewsFile(env);
  const views = Object.fromEntries([...readViews(env), [name, view] as const]);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.new`, `${JSON.stringify(views, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function decodeView(value: unknown, name: string): SavedView {
  const fields = new Map<string, unknown>(typeof value === 'object' && value !== null ? Object.entries(value) : []);
  const text = (key: string): string => {
    const found = fields.get(key);
    if (typeof found !== 'string') throw new Error(`${name}.${key}: expected text`);
    return found;
  };
  const screen = Object.values(SCREENS).find((one) => one.name === text('screen'))?.name;
  if (screen === undefined) throw new Error(`${name}.screen: expected one of ${Object.keys(SCREENS).join(', ')}`);
  const hidden = fields.get('hidden') ?? [];
  if (!Array.isArray(hidden)) throw new Error(`${name}.hidden: expected a list of columns`);
  return {
    screen,
    filter: text('filter'),
    sort: sortOf(screen, text('sort')),
    reverse: fields.get('reverse') === true,
    hidden: hidden.map(String),
  };
}

/** An order that this version does not have is the first one. */
function sortOf(screen: ScreenName, sort: string): string {
  const { sorts } = SCREENS[screen];
  return sorts.includes(sort) ? sort : (sorts[0] ?? '');
}
