// What the terminal can show, decided from the environment, because the library that draws decides it wrongly.
import type { ThemeName } from './theme.ts';

export interface TerminalProfile {
  /** The terminal description that blessed is told to use. */
  readonly terminal: string;
  readonly theme: ThemeName;
  /** Characters beyond ASCII arrive as they are sent. */
  readonly unicode: boolean;
  /** The terminal's font has the small bars and dots too. */
  readonly richGlyphs: boolean;
}

export type ProfileOutcome = { readonly ok: true; readonly profile: TerminalProfile } | { readonly ok: false; readonly reason: string };

export interface TerminalFacts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdinIsTty: boolean;
  readonly stdoutIsTty: boolean;
  /** False: --no-color, or NO_COLOR is set. */
  readonly color: boolean;
}

export function terminalProfile({ env, stdinIsTty, stdoutIsTty, color }: TerminalFacts): ProfileOutcome {
  const term = (env['TERM'] ?? '').toLowerCase();
  if (!stdoutIsTty) return { ok: false, reason: 'the output is not a terminal' };
  if (!stdinIsTty) return { ok: false, reason: 'the input is not a terminal, so there are no keys to read' };
  if (term === '' || term === 'dumb') return { ok: false, reason: term === '' ? 'TERM is not set' : 'TERM is dumb' };
  const bare = term === 'linux' || term.startsWith('vt');
  const unicode = isUtf8(env);
  return {
    ok: true,
    profile: {
      // blessed 0.1.81 cannot read today's terminfo files and would take tmux, kitty, alacritty and others for a terminal of 8 colours.
      terminal: bare ? term : 'xterm-256color',
      theme: themeFor(term, color),
      unicode,
      richGlyphs: unicode && !bare,
    },
  };
}

function themeFor(term: string, color: boolean): ThemeName {
  if (!color || term.startsWith('vt') || term.endsWith('-m') || term.endsWith('-mono')) return 'mono';
  return term === 'linux' || term === 'ansi' || term.endsWith('-16color') || term.endsWith('-color') ? '16' : '256';
}

/** Does the locale write UTF-8? POSIX: the first of these that is set and not empty decides. */
export function isUtf8(env: TerminalFacts['env']): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((each) => each !== undefined && each !== '');
  return /utf-?8/i.test(locale ?? '');
}
