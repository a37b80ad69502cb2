// Which key does what, on which screen: the one table that the keyboard and the help both read.
import type { InputEvent } from './input.ts';
import type { Action, DashboardState } from './model.ts';
import type { ScreenName } from './rows.ts';
import { cleanText } from './text.ts';

/** What a key asks for: a change of what is shown, or something that only the terminal can do. */
export type KeyCommand = Action | { readonly type: 'quit' } | { readonly type: 'repaint' };

export interface KeyBinding {
  readonly keys: readonly string[];
  /** As the help shows it. */
  readonly label: string;
  readonly help: string;
  /** Absent: on every screen. */
  readonly screens?: readonly ScreenName[];
  /** Only moves the selection, so it is obeyed even among many keys that came at once. */
  readonly moves?: true;
  readonly command: KeyCommand;
}

export const KEY_BINDINGS: readonly KeyBinding[] = [
  { keys: ['j', 'down'], label: 'j ↓', help: 'next row', moves: true, command: { type: 'move', by: 1 } },
  { keys: ['k', 'up'], label: 'k ↑', help: 'previous row', moves: true, command: { type: 'move', by: -1 } },
  { keys: ['g', 'home'], label: 'g Home', help: 'first row', moves: true, command: { type: 'edge', to: 'first' } },
  { keys: ['G', 'end'], label: 'G End', help: 'last row', moves: true, command: { type: 'edge', to: 'last' } },
  { keys: ['pagedown'], label: 'PgDn', help: 'half a screen down', moves: true, command: { type: 'page', by: 1 } },
  { keys: ['pageup'], label: 'PgUp', help: 'half a screen up', moves: true, command: { type: 'page', by: -1 } },
  { keys: ['1'], label: '1', help: 'overview', command: { type: 'screen', screen: 'overview' } },
  { keys: ['2'], label: '2', help: 'services', command: { type: 'screen', screen: 'services' } },
  { keys: ['3'], label: '3', help: 'events', command: { type: 'screen', screen: 'events' } },
  { keys: ['tab'], label: 'Tab', help: 'next screen', command: { type: 'turn', by: 1 } },
  { keys: ['shift-tab'], label: 'S-Tab', help: 'previous screen', command: { type: 'turn', by: -1 } },
  { keys: ['/'], label: '/', help: 'filter rows', command: { type: 'filterOpen' } },
  { keys: ['s'], label: 's', help: 'sort by the next column', screens: ['overview', 'services'], command: { type: 'sort' } },
  { keys: ['S'], label: 'S', help: 'reverse the order', command: { type: 'reverse' } },
  { keys: ['p'], label: 'p', help: 'freeze, go on', command: { type: 'freeze' } },
  { keys: ['escape'], label: 'Esc', help: 'back, clear filter', command: { type: 'back' } },
  { keys: ['?'], label: '?', help: 'this help', command: { type: 'help' } },
  { keys: ['ctrl-l'], label: 'Ctrl-L', help: 'draw anew', command: { type: 'repaint' } },
  { keys: ['q', 'ctrl-c'], label: 'q Ctrl-C', help: 'quit', command: { type: 'quit' } },
];

/**
 * Keys that change traffic. None yet: the dashboard only looks, so it says [RO] to everybody. A key that is added here must open a preview
 * and ask, and vanishes with --read-only and for the role read.
 */
export const MUTATING_KEYS: readonly string[] = [];

/** More keys than this in one piece of input were not typed: a paste without marks, or a line that was stuck. */
const MAX_TYPED_AT_ONCE = 3;

/** May this session change traffic at all? */
export function isReadOnly(state: DashboardState): boolean {
  return state.readOnly || MUTATING_KEYS.length === 0 || (state.latest?.status.role ?? 'read') === 'read';
}

export function bindingsOn(screen: ScreenName): readonly KeyBinding[] {
  return KEY_BINDINGS.filter((binding) => binding.screens?.includes(screen) ?? true);
}

/** What a piece of input means now; `together` is how many keys it holds. */
export function commandFor(state: DashboardState, event: InputEvent, together: number): KeyCommand | null {
  if (event.kind === 'paste') return state.editing === null ? null : { type: 'filterType', text: cleanText(event.text) };
  if (event.name === 'ctrl-c') return { type: 'quit' };
  if (event.name === 'ctrl-l') return { type: 'repaint' };
  if (state.editing !== null) return filterCommand(event.name);
  const binding = bindingsOn(state.screen).find((each) => each.keys.includes(event.name));
  if (binding === undefined || (together > MAX_TYPED_AT_ONCE && binding.moves !== true)) return null;
  return binding.command;
}

function filterCommand(name: string): KeyCommand | null {
  switch (name) {
    case 'enter':
      return { type: 'filterClose', keep: true };
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
