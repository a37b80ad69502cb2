// The editor of weights: what is asked for, and beside it what the appliance says the shares would be.
import { formatShare } from '../format.ts';
import { cell, type Frame, type Line } from '../frame.ts';
import type { Glyphs } from '../glyphs.ts';
import { bar } from '../sparkline.ts';
import type { DashboardState, Overlay } from '../state.ts';
import { ruleLine } from '../views/parts.ts';
import { shareLines } from './plan.ts';

const TITLES = { versions: 'weights of the versions of', clusters: 'weights of the clusters of', dial: 'dial of' } as const;

export function weightsLines(state: DashboardState, glyphs: Glyphs, overlay: Extract<Overlay, { readonly kind: 'weights' }>): Frame {
  const { of, subject, values, before, index, preview } = overlay;
  const width = Math.max(...values.map(({ name }) => name.length));
  const lines = values.map(({ name, percent }, each): Line => {
    const was = before.find((value) => value.name === name)?.percent ?? 0;
    const changed = Math.abs(was - percent) > 0.00005;
    const active = each === index;
    return [
      cell(`${active ? glyphs.marker : ' '} ${name.padEnd(width)} `, active ? 'title' : 'plain'),
      cell(`${formatShare(percent / 100).padStart(5)}% `, changed ? 'warn' : 'plain'),
      cell(bar(percent / 100, 30, glyphs), 'accent'),
      cell(changed ? `  was ${formatShare(was / 100)}%` : '', 'dim'),
    ];
  });
  return [
    ruleLine(`${TITLES[of]} ${subject}`, state.size.columns, glyphs),
    ...lines,
    ...previewLines(preview),
    [
      cell(
        `  [ ] 1  { } 10  - + 0.1  r as before${of === 'dial' ? '' : '  Tab versions, clusters'}  Enter shows the plan  Esc leaves`,
        'dim',
      ),
    ],
  ];
}

function previewLines(preview: Extract<Overlay, { readonly kind: 'weights' }>['preview']): Frame {
  if (preview === null) return [[cell('  asking what it comes to', 'dim')]];
  if (preview.problem !== null) return [[cell(`  refused: ${preview.problem.split('\n')[0] ?? ''}`, 'bad')]];
  const { result } = preview;
  if (result === null || !result.changed) return [[cell('  as it is', 'dim')]];
  return shareLines(result, 8);
}
