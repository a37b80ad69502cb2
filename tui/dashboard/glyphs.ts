// The signs that stand beside state words, in two sets: one for terminals with Unicode, one that is plain ASCII.
import type { AgentView, ClusterView } from '../../balancer/controller/api/views.ts';

export interface Glyphs {
  /** Everything drawn is reduced to printable ASCII. */
  readonly ascii: boolean;
  readonly admin: Readonly<Record<ClusterView['admin'], string>>;
  readonly health: Readonly<Record<ClusterView['health'], string>>;
  readonly agent: Readonly<Record<AgentView['state'], string>>;
  /** Of a strip over time: higher is worse. */
  readonly healthBar: Readonly<Record<'up' | 'degraded' | 'down', string>>;
  /** An axis whose last known value is too old to be believed. */
  readonly outdated: string;
  readonly marker: string;
  /** Of a row that acts are about. */
  readonly mark: string;
  readonly rule: string;
  readonly ellipsis: string;
  readonly arrows: { readonly up: string; readonly down: string };
  readonly bar: { readonly full: string; readonly half: string; readonly empty: string };
  /** Lowest first. */
  readonly spark: readonly string[];
  /** Of a heat strip: nothing first, most last. */
  readonly shades: readonly string[];
}

export const UNICODE_GLYPHS: Glyphs = {
  ascii: false,
  admin: { active: '●', drain: '◐', maintenance: '■' },
  health: { up: '●', degraded: '◐', down: '○', unknown: '?' },
  agent: { fresh: '●', stale: '◌', absent: '-' },
  healthBar: { up: '▁', degraded: '▄', down: '█' },
  outdated: '?',
  marker: '▸',
  mark: '*',
  rule: '─',
  ellipsis: '…',
  arrows: { up: '↑', down: '↓' },
  bar: { full: '█', half: '▌', empty: '·' },
  spark: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
  shades: [' ', '░', '▒', '▓', '█'],
};

export const ASCII_GLYPHS: Glyphs = {
  ascii: true,
  admin: { active: '+', drain: '~', maintenance: '#' },
  health: { up: '+', degraded: '~', down: 'x', unknown: '?' },
  agent: { fresh: '+', stale: '~', absent: '-' },
  healthBar: { up: '_', degraded: '=', down: '#' },
  outdated: '?',
  marker: '>',
  mark: '*',
  rule: '-',
  ellipsis: '~',
  arrows: { up: '^', down: 'v' },
  bar: { full: '#', half: '=', empty: '.' },
  spark: ['_', '.', ':', '-', '=', '+', '*', '#'],
  shades: [' ', '.', ':', 'o', '#'],
};

const ASCII_OF: Readonly<Record<string, string>> = { '→': '>', '←': '<', '↑': '^', '↓': 'v', '·': '.', '…': '~', '−': '-' };

/** What an author or an appliance put in, sign for sign: an ASCII screen shows `?` for what it has no likeness of. */
export function toAscii(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (sign) => ASCII_OF[sign] ?? '?');
}
