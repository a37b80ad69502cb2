// How styles look, for terminals with 256 colours, with 16, and with none. Never the only carrier of a meaning: words and glyphs are.
import type { ContextStyle, Frame, Style } from './frame.ts';

export type ThemeName = '256' | 'light' | '16' | 'mono';

/**
 * Parameters of the SGR sequence (ECMA-48 8.3.117) per style. Codes rather than blessed's tags: a tag names a colour by its RGB value, which
 * blessed 0.1.81 turns into one of eight whenever the value is exactly one of the palette; and without tags a name such as `{red-fg}` is
 * just text.
 */
export type Theme = Readonly<Record<Style, string>>;

/** White or black on the colour; without colours it is shown the other way round, and its name stands there. */
const CONTEXTS_256: Readonly<Record<ContextStyle, string>> = {
  'context-red': '1;38;5;231;48;5;160',
  'context-yellow': '1;38;5;16;48;5;220',
  'context-green': '1;38;5;16;48;5;71',
  'context-blue': '1;38;5;231;48;5;25',
  'context-magenta': '1;38;5;231;48;5;133',
  'context-cyan': '1;38;5;16;48;5;44',
};
const CONTEXTS_16: Readonly<Record<ContextStyle, string>> = {
  ...{ 'context-red': '1;37;41', 'context-yellow': '30;43', 'context-green': '30;42' },
  ...{ 'context-blue': '1;37;44', 'context-magenta': '1;37;45', 'context-cyan': '30;46' },
};
const CONTEXTS_MONO: Readonly<Record<ContextStyle, string>> = {
  ...{ 'context-red': '7', 'context-yellow': '7', 'context-green': '7', 'context-blue': '7', 'context-magenta': '7', 'context-cyan': '7' },
};

export const THEMES: Readonly<Record<ThemeName, Theme>> = {
  '256': {
    plain: '',
    dim: '38;5;245',
    title: '1;38;5;117',
    head: '38;5;110',
    good: '38;5;114',
    warn: '38;5;221',
    bad: '1;38;5;210',
    accent: '38;5;117',
    selected: '38;5;231;48;5;25',
    stale: '38;5;242',
    ...CONTEXTS_256,
  },
  /** For a light background. */
  light: {
    plain: '',
    dim: '38;5;242',
    title: '1;38;5;24',
    head: '38;5;25',
    good: '38;5;28',
    warn: '38;5;130',
    bad: '1;38;5;160',
    accent: '38;5;25',
    selected: '38;5;231;48;5;25',
    stale: '38;5;247',
    ...CONTEXTS_256,
  },
  // The eight base colours only: the Linux console has no other, and its "bright black" is black.
  '16': {
    plain: '',
    dim: '',
    title: '1;36',
    head: '36',
    good: '32',
    warn: '33',
    bad: '1;31',
    accent: '36',
    selected: '7',
    stale: '34',
    ...CONTEXTS_16,
  },
  mono: {
    plain: '',
    dim: '',
    title: '1',
    head: '4',
    good: '',
    warn: '1',
    bad: '1',
    accent: '1',
    selected: '7',
    stale: '',
    ...CONTEXTS_MONO,
  },
};

/** The frame as one string with SGR sequences, each styled piece closed by a reset. */
export function paint(frame: Frame, theme: Theme): string {
  return frame
    .map((line) =>
      line
        .map(({ text, style }) => {
          const codes = theme[style];
          return codes === '' || text === '' ? text : `\x1b[${codes}m${text}\x1b[m`;
        })
        .join(''),
    )
    .join('\n');
}
