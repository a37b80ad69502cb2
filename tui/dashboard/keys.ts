// Which key does what, on which screen: the one table that the keyboard, the help and clicks read.
import { ACTS } from './acts.ts';
import type { InputEvent } from './input.ts';
import type { Action } from './model.ts';
import { SCREENS, TABS } from './screens/registry.ts';
import { type DashboardState, isReadOnly, type Overlay, type ScreenName } from './state.ts';
import { cleanText } from './text.ts';

/** What a key asks for: a change of the state, or something that only the terminal can do. */
export type KeyCommand = Action | { readonly type: 'quit' } | { readonly type: 'repaint' } | { readonly type: 'suspend' };

export interface KeyBinding {
  readonly keys: readonly string[];
  /** As the help shows it. */
  readonly label: string;
  readonly help: string;
  /** Absent: on every screen. */
  readonly on?: (screen: ScreenName) => boolean;
  /** Only moves the selection, so it is obeyed even among many keys that came at once. */
  readonly moves?: true;
  /** Leads to a change of traffic, by way of a plan. */
  readonly changes?: true;
  readonly command: KeyCommand;
}

const hasSorts = (screen: ScreenName): boolean => SCREENS[screen].sorts.length > 1;
const isAbout = (screen: ScreenName): boolean => SCREENS[screen].about !== null;
const opens = (screen: ScreenName): boolean => SCREENS[screen].opens !== null;
const hasCharts = (screen: ScreenName): boolean => SCREENS[screen].charts !== null;
const hasMoments = (screen: ScreenName): boolean => SCREENS[screen].hasMoments;

const LOOKING: readonly KeyBinding[] = [
  { keys: ['j', 'down'], label: 'j ↓', help: 'next row', moves: true, command: { type: 'move', by: 1 } },
  { keys: ['k', 'up'], label: 'k ↑', help: 'previous row', moves: true, command: { type: 'move', by: -1 } },
  { keys: ['g', 'home'], label: 'g Home', help: 'first row', moves: true, command: { type: 'edge', to: 'first' } },
  { keys: ['G', 'end'], label: 'G End', help: 'last row', moves: true, command: { type: 'edge', to: 'last' } },
  { keys: ['pagedown'], label: 'PgDn', help: 'half a screen down', moves: true, command: { type: 'page', by: 1 } },
  { keys: ['pageup'], label: 'PgUp', help: 'half a screen up', moves: true, command: { type: 'page', by: -1 } },
  { keys: ['enter'], label: 'Enter', help: 'open the row', on: opens, command: { type: 'open' } },
  { keys: ['right'], label: '→', help: 'the next one', on: isAbout, command: { type: 'other', by: 1 } },
  { keys: ['left'], label: '←', help: 'the one before', on: isAbout, command: { type: 'other', by: -1 } },
  { keys: ['tab'], label: 'Tab', help: 'next screen', command: { type: 'turn', by: 1 } },
  { keys: ['shift-tab'], label: 'S-Tab', help: 'previous screen', command: { type: 'turn', by: -1 } },
  { keys: ['/'], label: '/', help: 'filter rows', command: { type: 'filterOpen' } },
  { keys: ['s'], label: 's', help: 'sort by the next column', on: hasSorts, command: { type: 'sort' } },
  { keys: ['S'], label: 'S', help: 'reverse the order', command: { type: 'reverse' } },
  { keys: ['o'], label: 'o', help: 'choose columns', command: { type: 'overlay', kind: 'columns' } },
  { keys: [' '], label: 'Space', help: 'mark the row', command: { type: 'mark' } },
  { keys: ['<'], label: '<', help: 'charts back in time', on: hasCharts, command: { type: 'past', by: 1 } },
  { keys: ['>'], label: '>', help: 'charts towards now', on: hasCharts, command: { type: 'past', by: -1 } },
  { keys: [']'], label: ']', help: 'charts of a longer time', on: hasCharts, command: { type: 'span', by: 1 } },
  { keys: ['['], label: '[', help: 'charts of a shorter time', on: hasCharts, command: { type: 'span', by: -1 } },
  { keys: ['<'], label: '<', help: 'charts of that time', on: hasMoments, command: { type: 'past', by: 1 } },
  { keys: ['p'], label: 'p', help: 'freeze, go on', command: { type: 'freeze' } },
  { keys: ['+'], label: '+', help: 'news less often', command: { type: 'interval', by: 1 } },
  { keys: ['-'], label: '-', help: 'news more often', command: { type: 'interval', by: -1 } },
  { keys: [':'], label: ':', help: 'type a command', command: { type: 'overlay', kind: 'command' } },
  { keys: ['!'], label: '!', help: 'what is wrong', command: { type: 'overlay', kind: 'alerts' } },
  { keys: ['@'], label: '@', help: 'acts of this session', command: { type: 'overlay', kind: 'log' } },
  { keys: ['y'], label: 'y', help: 'copy the command', command: { type: 'copy' } },
  { keys: ['x'], label: 'x', help: 'export the rows', command: { type: 'export' } },
  { keys: ['ctrl-s'], label: 'Ctrl-S', help: 'save this view', command: { type: 'saveView' } },
  { keys: ['v'], label: 'v', help: 'saved views', command: { type: 'views' } },
  { keys: ['t'], label: 't', help: 'colours and signs', command: { type: 'look' } },
  { keys: ['M'], label: 'M', help: 'mouse on, off', command: { type: 'mouse' } },
  { keys: ['escape'], label: 'Esc', help: 'back, clear filter', command: { type: 'back' } },
  { keys: ['?'], label: '?', help: 'this help', command: { type: 'help' } },
  { keys: ['ctrl-l'], label: 'Ctrl-L', help: 'draw anew', command: { type: 'repaint' } },
  { keys: ['ctrl-z'], label: 'Ctrl-Z', help: 'suspend', command: { type: 'suspend' } },
  { keys: ['q', 'ctrl-c'], label: 'q Ctrl-C', help: 'quit', command: { type: 'quit' } },
];

const SCREEN_KEYS: readonly KeyBinding[] = TABS.flatMap(({ key, name, label }) =>
  key === null ? [] : [{ keys: [key], label: key, help: label, command: { type: 'screen' as const, screen: name } }],
);

const ACT_KEYS: readonly KeyBinding[] = ACTS.map(({ key, name, help }) => ({
  ...{ keys: [key], label: key, help, changes: true as const },
  command: { type: 'act' as const, act: name },
}));

export const KEY_BINDINGS: readonly KeyBinding[] = [...LOOKING, ...SCREEN_KEYS, ...ACT_KEYS];

/** Keys that lead to a change of traffic. Each opens a plan, and they are gone where nothing may be changed. */
export const MUTATING_KEYS: readonly string[] = ACT_KEYS.flatMap(({ keys }) => keys);

/** More keys than this in one piece of input were not typed: a paste without marks, or a line that was stuck. */
const MAX_TYPED_AT_ONCE = 3;

export function bindingsOn(state: DashboardState): readonly KeyBinding[] {
  const readOnly = isReadOnly(state);
  return KEY_BINDINGS.filter((binding) => (binding.on?.(state.screen) ?? true) && !(readOnly && binding.changes === true));
}

/** What a piece of input means now; `together` is how many keys it holds. */
export function commandFor(state: DashboardState, event: InputEvent, together: number): KeyCommand | null {
  if (event.kind === 'mouse') return null;
  if (event.kind === 'paste') return pasteCommand(state, cleanText(event.text));
  const { name } = event;
  if (name === 'ctrl-c') return { type: 'quit' };
  if (name === 'ctrl-l') return { type: 'repaint' };
  if (name === 'ctrl-z') return { type: 'suspend' };
  const typed = together <= MAX_TYPED_AT_ONCE;
  if (state.editing !== null) return filterCommand(name, typed);
  if (state.overlay !== null) {
    if (typed && name === 'enter' && leaves(state.overlay)) return { type: 'quit' };
    return typed || takesText(state) ? overlayCommand(name, typed) : null;
  }
  const binding = bindingsOn(state).find((each) => each.keys.includes(name));
  if (binding === undefined || (!typed && binding.moves !== true)) return null;
  return binding.command;
}

/** `:q`, as in editors and in other dashboards. */
function leaves(overlay: Overlay): boolean {
  return overlay.kind === 'command' && /^\s*(q|quit|exit)!?\s*$/.test(overlay.text);
}

/** Text that is pasted goes where text is typed, and nowhere else. */
function pasteCommand(state: DashboardState, text: string): KeyCommand | null {
  if (state.editing !== null) return { type: 'filterType', text };
  return takesText(state) ? { type: 'overlayText', text } : null;
}

/** Whether letters are text now. */
export function takesText({ overlay }: DashboardState): boolean {
  if (overlay === null) return false;
  if (overlay.kind === 'command' || overlay.kind === 'name') return true;
  if (overlay.kind === 'form') return overlay.fields[overlay.index]?.choices === null;
  return overlay.kind === 'plan' && overlay.reason !== null;
}

/** Of a pasted piece only characters are taken: an Enter in it is nobody's decision. */
function overlayCommand(name: string, typed: boolean): KeyCommand | null {
  return typed || /^.$/su.test(name) ? { type: 'overlayKey', key: name } : null;
}

function filterCommand(name: string, typed: boolean): KeyCommand | null {
  switch (name) {
    case 'enter':
      return typed ? { type: 'filterClose', keep: true } : null;
    case 'escape':
      return { type: 'filterClose', keep: false };
    case 'backspace':
      return { type: 'filterErase', all: false };
    case 'ctrl-u':
      return { type: 'filterErase', all: true };
    case 'up':
      return { type: 'move', by: -1 };
    case 'down':
      return { type: 'move', by: 1 };
    default:
      // A character is one code point; the names of other keys are longer.
      return /^.$/su.test(name) ? { type: 'filterType', text: cleanText(name) } : null;
  }
}
