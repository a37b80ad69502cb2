// The editor of weights: what is asked for, and beside it what the appliance says the shares would be.
import { cell, type Frame, type Line, withHit } from '../frame.ts';
import type { Glyphs } from '../glyphs.ts';
import { bar } from '../sparkline.ts';
import type { DashboardState, Overlay } from '../state.ts';
import { ruleLine } from '../views/parts.ts';
import { shareLines } from './plan.ts';

const TITLES = { versions: 'weights of the versions of', clusters: 'weights of the clusters of', dial: 'dial of' } as const;

export function weightsLines(state: DashboardState, glyphs: Glyphs, overlay: Extract<Overlay, { readonly kind: 'weights' }>): Frame {
  const { of, subject, values, before, index, typed, preview } = overlay;
  const width = Math.max(...values.map(({ name }) => name.length));
  const lines = values.map(({ name, percent }, each): Line => {
    const was = before.find((value) => value.name === name)?.percent ?? 0;
    const changed = Math.abs(was - percent) > 0.00005;
    const active = each === index;
    const line = [
      cell(`${active ? glyphs.marker : ' '} ${name.padEnd(width)} `, active ? 'title' : 'plain'),
      active && typed !== ''
        ? cell(`${typed.padStart(5)}% `, 'selected')
        : cell(`${formatPercent(percent).padStart(5)}% `, changed ? 'warn' : 'plain'),
      cell(bar(percent / 100, 30, glyphs), 'accent'),
      cell(changed ? `  was ${formatPercent(was)}%` : '', 'dim'),
    ];
    return withHit(line, { type: 'overlayItem', index: each });
  });
  return [
    ruleLine(`${TITLES[of]} ${subject}`, state.size.columns, glyphs),
    ...lines,
    ...previewLines(preview),
    [
      cell(
        `  digits, [ ] 1  { } 10  - + 0.1  r as before${of === 'dial' ? '' : '  Tab versions, clusters'}  Enter shows the plan  Esc leaves`,
        'dim',
      ),
    ],
  ];
}

/** One decimal, or as many as it has: what was typed is shown as it was. */
function formatPercent(percent: number): string {
  const exact = String(percent);
  return exact.length > 5 || !exact.includes('.') ? percent.toFixed(Math.max(1, (exact.split('.')[1] ?? '').length)) : exact;
}

function previewLines(preview: Extract<Overlay, { readonly kind: 'weights' }>['preview']): Frame {
  if (preview === null) return [[cell('  asking what it comes to', 'dim')]];
  if (preview.problem !== null) return [[cell(`  refused: ${preview.problem.split('\n')[0] ?? ''}`, 'bad')]];
  const { result } = preview;
  if (result === null || !result.changed) return [[cell('  as it is', 'dim')]];
  return shareLines(result, 8);
}
