// How the dashboard looks: colours and signs, which a key turns through.
import type { ThemeName } from './theme.ts';

export interface Look {
  readonly theme: ThemeName;
  /** Draws with ASCII characters only. */
  readonly ascii: boolean;
}

/** The looks a terminal can show, in the order in which the key turns through them. */
export function looksFrom(first: Look): readonly Look[] {
  const all: readonly Look[] = [
    { theme: '256', ascii: false },
    { theme: 'light', ascii: false },
    { theme: '16', ascii: false },
    { theme: 'mono', ascii: false },
    { theme: '256', ascii: true },
    { theme: 'mono', ascii: true },
  ];
  return [first, ...all.filter(({ theme, ascii }) => (theme !== first.theme || ascii !== first.ascii) && shows(first, { theme, ascii }))];
}

/** A terminal without colours or without Unicode does not get them by a key. */
function shows(first: Look, { theme, ascii }: Look): boolean {
  if (first.ascii && !ascii) return false;
  if (first.theme === 'mono') return theme === 'mono';
  return first.theme !== '16' || theme === '16' || theme === 'mono';
}

/** `first` is what the dashboard began with. */
export function nextLook(first: Look, now: Look): Look {
  const all = looksFrom(first);
  const at = all.findIndex(({ theme, ascii }) => theme === now.theme && ascii === now.ascii);
  return all[(at + 1) % all.length] ?? first;
}
