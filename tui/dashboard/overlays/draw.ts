// What lies over the screen, as lines: help, alerts, lists to choose from, forms, the editor of weights, plans. Pure.
import { bindingsOn } from '../keys.ts';
import { cell, type Frame, type Line, withHit } from '../frame.ts';
import { formatTimeOfDay } from '../format.ts';
import type { Glyphs } from '../glyphs.ts';
import { SCREENS } from '../screens/registry.ts';
import { sightOf } from '../sight.ts';
import { current, type DashboardState, isReadOnly, type Overlay } from '../state.ts';
import { fit } from '../text.ts';
import { ruleLine, windowStart } from '../views/parts.ts';
import { alertsLines } from './alerts.ts';
import { planLines } from './plan.ts';
import { weightsLines } from './weights.ts';

type Of<Kind extends Overlay['kind']> = Extract<Overlay, { readonly kind: Kind }>;

/** At most `height` lines. */
export function overlayLines(state: DashboardState, glyphs: Glyphs, height: number): Frame {
  const { overlay } = state;
  if (overlay === null) return [];
  switch (overlay.kind) {
    case 'help':
    case 'log':
    case 'text':
      return window(state, glyphs, { ...textOf(state, glyphs, overlay), scroll: overlay.scroll, height });
    case 'alerts':
      return alertsLines(state, glyphs, { overlay, height });
    case 'columns':
      return columnsLines(state, glyphs, { overlay, height });
    case 'views':
      return chooser(state, glyphs, {
        title: 'saved views',
        labels: overlay.names,
        index: overlay.index,
        hint: 'Enter opens, Esc leaves',
        height,
      });
    case 'menu':
      return chooser(state, glyphs, {
        title: overlay.title,
        labels: overlay.items.map(({ label }) => label),
        index: overlay.index,
        hint: overlay.items.some((item) => 'words' in item) ? 'Enter shows the plan, Esc leaves' : 'Enter goes on, Esc leaves',
        height,
      });
    case 'name':
      return [
        ruleLine('save this view', state.size.columns, glyphs),
        [cell('  name '), cell(overlay.text, 'accent'), cell(' ', 'selected')],
        [cell('  Enter saves filter, order and columns of this screen, Esc leaves', 'dim')],
      ];
    case 'command':
      return commandLines(state, glyphs, overlay);
    case 'form':
      return formLines(state, glyphs, overlay);
    case 'weights':
      return weightsLines(state, glyphs, overlay).slice(0, height);
    case 'plan':
      return planLines(state, glyphs, { overlay, height });
  }
}

/** What is read line by line. */
export function textOf(
  state: DashboardState,
  glyphs: Glyphs,
  overlay: Of<'help' | 'log' | 'text'>,
): { readonly title: string; readonly lines: Frame } {
  switch (overlay.kind) {
    case 'help':
      return { title: `keys on ${state.screen}`, lines: helpLines(state, glyphs) };
    case 'log':
      return { title: 'acts of this session, as commands', lines: logLines(state) };
    case 'text':
      return { title: overlay.title, lines: overlay.lines.map((text) => [cell(`  ${text}`)]) };
  }
}

interface Window {
  readonly title: string;
  readonly lines: Frame;
  readonly scroll: number;
  readonly height: number;
}

function window({ size }: DashboardState, glyphs: Glyphs, { title, lines, scroll, height }: Window): Frame {
  const room = height - 1;
  const start = Math.max(0, Math.min(scroll, lines.length - room));
  const below = lines.length - start - room;
  const more =
    start > 0 || below > 0
      ? `, lines ${start + 1} to ${Math.min(lines.length, start + room)} of ${lines.length}, Esc closes`
      : ', Esc closes';
  return [ruleLine(`${title}${more}`, size.columns, glyphs), ...lines.slice(start, start + room)];
}

const LABEL_WIDTH = 9;

function helpLines(state: DashboardState, glyphs: Glyphs): Frame {
  const bindings = bindingsOn(state);
  const columns = state.size.columns >= 110 ? 3 : 2;
  const perColumn = Math.ceil(bindings.length / columns);
  const width = Math.floor((state.size.columns - 2) / columns);
  const entry = (index: number): Line => {
    const binding = bindings[index];
    if (binding === undefined) return [];
    const label = binding.label.replace('↓', glyphs.arrows.down).replace('↑', glyphs.arrows.up);
    return [
      cell(fit(label, LABEL_WIDTH, 'left', ''), binding.changes === true ? 'warn' : 'accent'),
      cell(fit(binding.help, Math.max(0, width - LABEL_WIDTH), 'left', glyphs.ellipsis)),
    ];
  };
  const keys = Array.from({ length: perColumn }, (_, row): Line => [
    cell('  '),
    ...Array.from({ length: columns }, (__, column) => entry(row + column * perColumn)).flat(),
  ]);
  return [...keys, ...legendLines(state, glyphs).map((text): Line => [cell(`  ${text}`, 'dim')])];
}

function legendLines(state: DashboardState, { admin, health, agent }: Glyphs): readonly string[] {
  return [
    isReadOnly(state)
      ? '[RO]: no key changes traffic; use weir shift, drain, undo'
      : 'Every change shows its plan first: a then y makes it, or a word to type',
    'filter: word  !not  state=up  region=eu  err>1  rps<5, all must hold',
    'DES% asked for   EFF% planned now   OBS% seen in traffic',
    `ADMIN   ${admin.active} active  ${admin.drain} drain  ${admin.maintenance} maintenance  50%: dial`,
    `HEALTH  ${health.up} up  ${health.degraded} degraded  ${health.down} down  ${health.unknown} unknown`,
    `AGENT   ${agent.fresh} fresh  ${agent.stale} stale  ${agent.absent} none, with the age of its news`,
  ];
}

function logLines({ log }: DashboardState): Frame {
  if (log.length === 0) return [[cell('  nothing was done in this session', 'dim')]];
  return log.flatMap(({ atMs, line, outcome, ok }): Frame => [
    [cell(`  ${formatTimeOfDay(atMs)} `, 'dim'), cell(line, 'accent')],
    [cell(`           ${outcome}`, ok ? 'good' : 'bad')],
  ]);
}

interface Chooser {
  readonly title: string;
  readonly labels: readonly string[];
  readonly index: number;
  readonly hint: string;
  readonly height: number;
}

/** Of more than there is room for, those around the active one. */
function chooser({ size }: DashboardState, glyphs: Glyphs, { title, labels, index, hint, height }: Chooser): Frame {
  const room = Math.max(1, height - 2);
  const start = windowStart(index, room, labels.length);
  const lines = labels.slice(start, start + room).map((label, offset): Line => {
    const each = start + offset;
    const text = each === index ? `${glyphs.marker} ${label}` : `  ${label}`;
    return [cell(text, each === index ? 'selected' : 'plain', { type: 'overlayItem', index: each })];
  });
  return [ruleLine(title, size.columns, glyphs), ...lines, [cell(`  ${hint}`, 'dim')]];
}

interface ColumnsDrawing {
  readonly overlay: Of<'columns'>;
  readonly height: number;
}

function columnsLines(state: DashboardState, glyphs: Glyphs, { overlay: { index }, height }: ColumnsDrawing): Frame {
  const sight = sightOf(state);
  const columns = sight === null ? [] : SCREENS[state.screen].columns(sight);
  const { hidden } = current(state);
  const labels = columns.map(({ id, title }) => `[${hidden.includes(id) ? ' ' : 'x'}] ${title}`);
  return chooser(state, glyphs, {
    title: 'columns',
    labels,
    index,
    hint: 'Space shows or hides, as far as there is room; Esc leaves',
    height,
  });
}

/** Candidates that have a line. */
const CANDIDATE_LINES = 3;

function commandLines({ size }: DashboardState, glyphs: Glyphs, { text, candidates }: Of<'command'>): Frame {
  const width = size.columns - 4;
  const lines: string[] = [];
  for (const candidate of candidates) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + candidate.length + 2 <= width) lines[lines.length - 1] = `${last}  ${candidate}`;
    else lines.push(candidate);
  }
  const shownLines = lines.slice(0, CANDIDATE_LINES).map((line): Line => [cell(`  ${line}`, 'dim')]);
  const prompt: Line = [cell(' : weir ', 'accent'), cell(text), cell(' ', 'selected')];
  return [
    ruleLine('a command; changes show their plan first', size.columns, glyphs),
    ...shownLines,
    prompt,
    [cell('  Tab completes, up and down go through what was typed, Enter runs, Esc leaves; services, cluster NAME … show a screen', 'dim')],
  ];
}

function formLines({ size }: DashboardState, glyphs: Glyphs, { title, fields, index }: Of<'form'>): Frame {
  const width = Math.max(...fields.map(({ label }) => label.length));
  const lines = fields.map(({ label, value, choices }, each): Line => {
    const active = each === index;
    const shownValue = choices === null ? value : `${active ? '< ' : '  '}${value}${active ? ' >' : ''}`;
    const line = [
      cell(`${active ? glyphs.marker : ' '} ${label.padEnd(width)}  `, active ? 'accent' : 'plain'),
      cell(shownValue, active ? 'title' : 'plain'),
      ...(active && choices === null ? [cell(' ', 'selected' as const)] : []),
    ];
    return withHit(line, { type: 'overlayItem', index: each });
  });
  const hint = fields[index]?.hint ?? '';
  const goes = index === fields.length - 1 ? 'Enter shows the plan' : 'Enter goes on';
  return [
    ruleLine(title, size.columns, glyphs),
    ...lines,
    [cell(`  ${hint}`, 'dim')],
    [cell(`  ${goes}, Esc leaves; nothing is changed yet`, 'dim')],
  ];
}
