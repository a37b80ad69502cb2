// What is decided from the environment: the terminal description, colours, Unicode, and where the dashboard refuses.
import { deepEqual, equal, match } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ProfileOutcome, terminalProfile, type TerminalFacts } from '../../../../tui/dashboard/terminal-profile.ts';

function profile(env: TerminalFacts['env'], facts: Partial<TerminalFacts> = {}): ProfileOutcome {
  return terminalProfile({ env, stdinIsTty: true, stdoutIsTty: true, color: true, ...facts });
}

function accepted(env: TerminalFacts['env'], facts: Partial<TerminalFacts> = {}): string {
  const outcome = profile(env, facts);
  if (!outcome.ok) return outcome.reason;
  const { terminal, theme, unicode, richGlyphs } = outcome.profile;
  return [terminal, theme, unicode ? 'unicode' : 'bytes', richGlyphs ? 'rich' : 'ascii'].join(' ');
}

describe('the terminal profile', () => {
  test('describes every modern terminal as xterm-256color, which blessed can read', () => {
    for (const term of [
      'xterm-256color',
      'tmux-256color',
      'screen-256color',
      'xterm-kitty',
      'xterm-ghostty',
      'alacritty',
      'foot',
      'wezterm',
    ]) {
      equal(accepted({ TERM: term, LANG: 'en_US.UTF-8' }), 'xterm-256color 256 unicode rich', term);
    }
  });

  test('leaves consoles what they are, with few colours and plain signs', () => {
    equal(accepted({ TERM: 'linux', LANG: 'C.UTF-8' }), 'linux 16 unicode ascii');
    equal(accepted({ TERM: 'vt220', LANG: 'C.UTF-8' }), 'vt220 mono unicode ascii');
    equal(accepted({ TERM: 'xterm-16color', LANG: 'C.UTF-8' }), 'xterm-256color 16 unicode rich');
  });

  test('takes the locale from the first variable that is set and not empty', () => {
    const unicode = (env: TerminalFacts['env']): boolean => accepted({ TERM: 'xterm', ...env }).includes('unicode');
    deepEqual([{ LANG: 'de_DE.utf8' }, { LC_ALL: 'C', LANG: 'C.UTF-8' }, { LC_ALL: '', LC_CTYPE: 'C.UTF-8', LANG: 'C' }, {}].map(unicode), [
      true,
      false,
      true,
      false,
    ]);
  });

  test('without colour has none', () => equal(accepted({ TERM: 'xterm', LANG: 'C' }, { color: false }), 'xterm-256color mono bytes ascii'));

  test('refuses what it cannot draw on, and says why', () => {
    match(accepted({ TERM: 'dumb' }), /dumb/);
    match(accepted({}), /TERM is not set/);
    match(accepted({ TERM: 'xterm' }, { stdoutIsTty: false }), /output is not a terminal/);
    match(accepted({ TERM: 'xterm' }, { stdinIsTty: false }), /input is not a terminal/);
  });
});
