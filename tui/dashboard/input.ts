// Keys out of what a terminal sends: escape sequences, pasted text, and the lone Escape that only time tells from a sequence.

export type InputEvent =
  /** `name`: the character itself, or enter, escape, tab, shift-tab, backspace, up, pageup, ctrl-c, alt-x … */
  | { readonly kind: 'key'; readonly name: string }
  | { readonly kind: 'paste'; readonly text: string }
  /** A button was pressed, or the wheel turned; places are counted from 0. */
  | { readonly kind: 'mouse'; readonly act: 'click' | 'wheel-up' | 'wheel-down'; readonly column: number; readonly row: number };

export interface KeyDecoder {
  push(text: string): readonly InputEvent[];
  /** How long to wait for more before `flush`; null: nothing is half received. */
  readonly waitMs: number | null;
  /** No more came: what is half received is taken for what it is. */
  flush(): readonly InputEvent[];
}

/** Asks the terminal to mark pasted text, so that it is not taken for keys. */
export const PASTE_MARKS_ON = '\x1b[?2004h';
export const PASTE_MARKS_OFF = '\x1b[?2004l';

/** Asks for presses and the wheel, with places of any size (SGR mouse mode of xterm). */
export const MOUSE_ON = '\x1b[?1000h\x1b[?1006h';
export const MOUSE_OFF = '\x1b[?1006l\x1b[?1000l';

/** A sequence split over a slow line arrives within this; a person cannot press Escape and another key faster. */
const ESCAPE_WAIT_MS = 30;
/** A paste whose end mark is lost must not swallow the keyboard. */
const PASTE_WAIT_MS = 1000;
const MAX_PASTE_LENGTH = 4096;
const PASTE_END = '\x1b[201~';

const LETTER_FINALS: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  F: 'end',
  H: 'home',
  Z: 'shift-tab',
  S: 'f4',
};
const NUMBER_FINALS: Readonly<Record<string, string>> = {
  '1': 'home',
  '3': 'delete',
  '4': 'end',
  '5': 'pageup',
  '6': 'pagedown',
  '7': 'home',
  '8': 'end',
  '14': 'f4',
};

const CONTROLS: Readonly<Record<string, string>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\b': 'backspace',
  '\x7f': 'backspace',
};

export function createKeyDecoder(): KeyDecoder {
  let buffer = '';
  /** Collected since the mark of a paste; null: no paste. */
  let pasted: string | null = null;

  const readPaste = (soFar: string): InputEvent | null => {
    const end = buffer.indexOf(PASTE_END);
    // Without the end, the last characters may be the beginning of its mark and wait for more.
    const taken = end >= 0 ? end : Math.max(0, buffer.length - PASTE_END.length + 1);
    pasted = (soFar + buffer.slice(0, taken)).slice(0, MAX_PASTE_LENGTH);
    buffer = buffer.slice(end >= 0 ? end + PASTE_END.length : taken);
    if (end < 0) return null;
    const event: InputEvent = { kind: 'paste', text: pasted };
    pasted = null;
    return event;
  };

  const read = (): readonly InputEvent[] => {
    const events: InputEvent[] = [];
    while (buffer !== '') {
      if (pasted !== null) {
        const paste = readPaste(pasted);
        if (paste === null) break;
        events.push(paste);
        continue;
      }
      const token = nextToken(buffer);
      if (token === null) break;
      buffer = buffer.slice(token.length);
      if (token.mouse !== undefined) events.push(token.mouse);
      else if (token.name === 'paste-begin') pasted = '';
      else if (token.name !== '') events.push({ kind: 'key', name: token.name });
    }
    return events;
  };

  return {
    push: (text) => {
      buffer += text;
      return read();
    },
    get waitMs() {
      if (pasted !== null) return PASTE_WAIT_MS;
      return buffer === '' ? null : ESCAPE_WAIT_MS;
    },
    flush: () => {
      const lone = pasted === null && buffer === '\x1b';
      buffer = '';
      pasted = null;
      return lone ? [{ kind: 'key', name: 'escape' }] : [];
    },
  };
}

interface Token {
  /** Empty: a sequence that is nobody's key. */
  readonly name: string;
  readonly length: number;
  readonly mouse?: InputEvent;
}

/** The first key of `text`, which is not empty; null: more must come. */
function nextToken(text: string): Token | null {
  if (text.startsWith('\x1b')) return escapeToken(text);
  const character = String.fromCodePoint(text.codePointAt(0) ?? 0);
  return { name: characterName(character), length: character.length };
}

function characterName(character: string): string {
  const named = CONTROLS[character];
  if (named !== undefined) return named;
  const code = character.charCodeAt(0);
  // C0 1 to 26 are Ctrl with a letter; the other controls are no keys.
  if (code >= 1 && code <= 26) return `ctrl-${String.fromCharCode(code + 96)}`;
  return code < 32 || (code >= 128 && code < 160) ? '' : character;
}

/** ECMA-48: CSI parameters intermediates final; SS3 final; Escape with a character is Alt. */
function escapeToken(text: string): Token | null {
  const introducer = text[1];
  if (introducer === undefined) return null;
  if (introducer === '[') return controlSequence(text);
  if (introducer === 'O') return text.length < 3 ? null : { name: LETTER_FINALS[text[2] ?? ''] ?? '', length: 3 };
  // Before another Escape or a control it stands alone: nobody holds Alt with those.
  if (introducer < ' ') return { name: 'escape', length: 1 };
  return { name: `alt-${introducer}`, length: 2 };
}

function controlSequence(text: string): Token | null {
  // The Linux console sends its function keys as CSI [ A to E.
  const console = /^\x1b\[\[[A-E]/.exec(text);
  if (console !== null) return { name: '', length: console[0].length };
  const mouse = /^\x1b\[<(\d+);(\d+);(\d+)([Mm])/.exec(text);
  if (mouse !== null) return mouseToken(mouse);
  const whole = /^\x1b\[([0-?]*)[ -/]*([@-Z\\-~])/.exec(text);
  if (whole !== null) return { name: sequenceName(whole[1] ?? '', whole[2] ?? ''), length: whole[0].length };
  // Unfinished as long as all of it may still belong to a sequence; anything else is dropped up to there.
  const begun = /^\x1b\[[0-?]*[ -/]*\[?/.exec(text)?.[0].length ?? 2;
  return begun === text.length && begun < 32 ? null : { name: '', length: begun };
}

/** Button 0 pressed, 64 and 65 the wheel; releases, movements and buttons with modifiers are nobody's. */
function mouseToken([whole, button, column, row, final]: RegExpExecArray): Token {
  const act = button === '0' ? 'click' : button === '64' ? 'wheel-up' : button === '65' ? 'wheel-down' : undefined;
  if (act === undefined || final === 'm') return { name: '', length: whole.length };
  return { name: '', length: whole.length, mouse: { kind: 'mouse', act, column: Number(column) - 1, row: Number(row) - 1 } };
}

function sequenceName(parameters: string, final: string): string {
  const [first = '', modifiers = ''] = parameters.split(';');
  if (final === '~') return first === '200' ? 'paste-begin' : (NUMBER_FINALS[first] ?? '');
  if (final === 'u') return unicodeKey(Number(first), Number(modifiers === '' ? '1' : modifiers));
  return LETTER_FINALS[final] ?? '';
}

/** `CSI code;modifiers u`: how newer terminals send Ctrl-C and others when asked to. Bit 4 of modifiers - 1 is Ctrl. */
function unicodeKey(code: number, modifiers: number): string {
  if (code === 27) return 'escape';
  if (!Number.isInteger(code) || code <= 0 || code > 0x10ffff) return '';
  const character = String.fromCodePoint(code);
  return ((modifiers - 1) & 4) !== 0 && /^[a-z]$/.test(character) ? `ctrl-${character}` : characterName(character);
}
