// How styles look, for terminals with 256 colours, with 16, and with none. Never the only carrier of a meaning: words and glyphs are.
import type { Frame, Style } from './frame.ts';

export type ThemeName = '256' | '16' | 'mono';

/**
 * Parameters of the SGR sequence (ECMA-48 8.3.117) per style. Codes rather than blessed's tags: a tag names a colour by its RGB value, which
 * blessed 0.1.81 turns into one of eight whenever the value is exactly one of the palette; and without tags a name such as `{red-fg}` is
 * just text.
 */
export type Theme = Readonly<Record<Style, string>>;

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
