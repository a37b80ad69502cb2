// What is wrong, as a list to choose from: what the runbook says of each, and of what waits for a second person the plan that would make it.
import { openPlan } from '../acting.ts';
import { cell, type Frame, type Line, type Style } from '../frame.ts';
import type { Glyphs } from '../glyphs.ts';
import { headingOf } from '../runbook.ts';
import { ask, type DashboardState, type Overlay, shown } from '../state.ts';
import { wrapped } from '../text.ts';
import { alertTexts, approvalText } from '../views/header.ts';
import { ruleLine, windowStart } from '../views/parts.ts';

type AlertsOverlay = Extract<Overlay, { readonly kind: 'alerts' }>;

interface Item {
  readonly sign: '!' | '?' | '~';
  readonly text: string;
  readonly style: Style;
  /** Of the runbook; null: it has nothing on it. */
  readonly code: string | null;
  /** What waits under this id; null: nothing does. */
  readonly approval: string | null;
}

/** In the order of the lines at the top. */
export function alertItems(state: DashboardState): readonly Item[] {
  const { snapshot, nowMs } = shown(state);
  const { problems, warnings } = alertTexts(state);
  const codes = new Map((snapshot?.status.alerts ?? []).map(({ code, text }) => [text, code]));
  const ageMs = snapshot === null ? 0 : nowMs - snapshot.receivedAtMs;
  const of = (sign: '!' | '~', style: Style) => (text: string) => ({ sign, text, style, code: codes.get(text) ?? null, approval: null });
  const approvals = (snapshot?.status.approvals ?? []).map((approval) => {
    return { sign: '?' as const, text: approvalText(approval, ageMs), style: 'warn' as const, code: null, approval: approval.id };
  });
  return [...problems.map(of('!', 'bad')), ...approvals, ...warnings.map(of('~', 'warn'))];
}

export function alertsKey(state: DashboardState, overlay: AlertsOverlay, key: string): DashboardState {
  const items = alertItems(state);
  const by = (
    { j: 1, down: 1, k: -1, up: -1, g: -Infinity, home: -Infinity, G: Infinity, end: Infinity } as Readonly<Record<string, number>>
  )[key];
  if (by !== undefined) return { ...state, overlay: { ...overlay, index: Math.max(0, Math.min(items.length - 1, overlay.index + by)) } };
  if (key === 'escape' || key === 'q' || key === '!') return { ...state, overlay: null };
  const item = items[overlay.index];
  if (key !== 'enter' || item === undefined) return state;
  if (item.approval !== null) return openPlan(state, ['approve', item.approval]);
  return item.code === null ? state : ask(state, { kind: 'runbook', code: item.code, text: item.text });
}

/** A line for each, and below them the whole text of the chosen one. */
export function alertsLines(
  state: DashboardState,
  glyphs: Glyphs,
  { overlay, height }: { readonly overlay: AlertsOverlay; readonly height: number },
): Frame {
  const items = alertItems(state);
  const status = shown(state).snapshot?.status;
  const { columns } = state.size;
  const headroom: Frame = status === undefined ? [] : [[cell(`  one cluster can be lost: ${status.headroom}`, 'dim')]];
  if (items.length === 0)
    return [ruleLine('what is wrong, Esc closes', columns, glyphs), [cell('  nothing is wrong', 'good')], ...headroom];
  const index = Math.min(overlay.index, items.length - 1);
  const chosen = items[index];
  const whole = chosen === undefined || chosen.text.length <= columns - 6 ? [] : wrapped(chosen.text, columns - 8);
  const below: Frame = [
    ...whole.map((text): Line => [cell(`      ${text}`, chosen?.style ?? 'plain')]),
    ...headroom,
    [cell(`  ${hintOf(chosen)}`, 'dim')],
  ];
  const room = Math.max(1, height - 1 - below.length);
  const start = windowStart(index, room, items.length);
  const lines = items.slice(start, start + room).map(({ sign, text, style }, offset): Line => {
    const each = start + offset;
    return [
      cell(`${each === index ? glyphs.marker : ' '} ${sign} ${text}`, each === index ? 'selected' : style, {
        type: 'overlayItem',
        index: each,
      }),
    ];
  });
  return [ruleLine(`what is wrong, ${items.length}`, columns, glyphs), ...lines, ...below];
}

function hintOf(item: Item | undefined): string {
  const { code = null, approval = null } = item ?? {};
  if (approval !== null) return 'Enter shows the plan that approves it, Esc closes';
  return code === null ? 'Esc closes' : `Enter shows what to do: docs/runbook.md#${headingOf(code)}, Esc closes`;
}
