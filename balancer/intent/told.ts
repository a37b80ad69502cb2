// What a revision changed, in words: from the fields it touched and their values before and after. Pure.
import { GLIDES } from './diff.ts';
import { overText } from './glide.ts';
import type { TouchedField } from './intent.ts';

const MILLION = 1_000_000;

/**
 * `shop: blue 90 % → 70 %, green 10 % → 30 %`, one text for each field that means something by itself, in their order. What only keeps count of
 * something, such as the value of the file that a split came from, is left out unless there is nothing else.
 */
export function toldChanges(touched: readonly TouchedField[]): readonly string[] {
  const told = touched.flatMap((field) => toldField(field) ?? []);
  if (told.length > 0) return bounded(told);
  const names = touched.filter(({ path }) => !path.some((part) => part.endsWith('Seed'))).map(nameOf);
  return bounded(names.length > 0 ? names : touched.map(nameOf));
}

/** A config with a thousand services touches thousands of fields. */
const MOST_TOLD = 8;

function bounded(texts: readonly string[]): readonly string[] {
  return texts.length <= MOST_TOLD ? texts : [...texts.slice(0, MOST_TOLD), `and ${texts.length - MOST_TOLD} more`];
}

/** Without the part of the intent it is in. */
function nameOf({ path }: TouchedField): string {
  if (path[0] === GLIDES) return `what revision ${path[1] ?? ''} sent on its way is there at once`;
  return path.slice(path.length > 1 ? 1 : 0).join('.');
}

/** Null: it only keeps count of something, or only its name tells anything. */
function toldField(field: TouchedField): string | null {
  const { path, before, after } = field;
  const [part = '', name = '', what = '', of = ''] = path;
  if (part === 'clusters') {
    if (what === 'admin') return `${name}: ${fromTo(textOf(before), textOf(after))}`;
    return what === 'dialPercent' ? `${name}: dial ${fromTo(percentOf(before), percentOf(after))}` : null;
  }
  if (part === GLIDES) return glideText(before, after);
  if (part !== 'services') return part === 'overrides' || path.some((each) => each.endsWith('Seed')) ? null : nameOf(field);
  if (what === 'split') return `${name}: ${sharesText(numbersOf(before), numbersOf(after), (value) => percentOf((value * 100) / MILLION))}`;
  if (what === 'clusterWeights') return `${name}/${of}: weights ${sharesText(numbersOf(before), numbersOf(after), String)}`;
  if (what === 'rollout') return rolloutText(name, membersOf(before), membersOf(after));
  if (what === 'clusterSplits') return `${name}: some clusters have a split of their own`;
  return what === 'pinEpoch' ? `${name}: pins given before are void` : null;
}

/** Of one that begins its time, beside where it goes, which other fields say; one that is not there any more is told by nothing else, or not at all. */
function glideText(before: unknown, after: unknown): string | null {
  const overMs = membersOf(after).get('overMs');
  return before === null && typeof overMs === 'number' ? `over ${overText(overMs)}` : null;
}

function fromTo(before: string | null, after: string | null): string {
  return before === null ? (after ?? 'gone') : `${before} → ${after ?? 'gone'}`;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function percentOf(value: unknown): string | null {
  return typeof value === 'number' ? `${Number(value.toFixed(4))} %` : null;
}

/** Those that differ. */
function sharesText(before: Members, after: Members, text: (value: number) => string | null): string {
  const value = (members: Members, name: string): string | null => {
    const found = members.get(name);
    return typeof found === 'number' ? text(found) : null;
  };
  const names = [...new Set([...before.keys(), ...after.keys()])].filter((name) => before.get(name) !== after.get(name));
  return names.map((name) => `${name} ${fromTo(value(before, name), value(after, name))}`).join(', ');
}

type Members = ReadonlyMap<string, unknown>;

function membersOf(value: unknown): Members {
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

function numbersOf(value: unknown): Members {
  return new Map([...membersOf(value)].filter(([, each]) => typeof each === 'number'));
}

/** How far it is, or what became of it; each change of a rollout touches much of it, most of which nobody asks for. */
function rolloutText(service: string, before: Members, after: Members): string {
  if (after.size === 0) return `${service}: rollout as it was before there was one`;
  const of = (members: Members, key: string): string => (textOf(members.get(key)) ?? '').replaceAll('_', ' ');
  const steps = after.get('steps');
  const count = Array.isArray(steps) ? steps.length : 0;
  const to = `${service}: rollout to ${of(after, 'to')}`;
  if (before.get('id') !== after.get('id')) return `${to} begins, ${count} steps`;
  if (before.get('phase') !== after.get('phase')) return `${to} ${of(before, 'phase')} → ${of(after, 'phase')}`;
  const wave = after.get('wave');
  return `${to}, ${typeof wave === 'number' ? `wave ${wave + 1}, ` : ''}step ${Number(after.get('step') ?? 0) + 1} of ${count}`;
}
