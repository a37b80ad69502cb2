// The help: the keys that are valid on this screen, how a filter is written, and what the words and signs mean.
import { cell, type Frame, type Line } from '../frame.ts';
import type { Glyphs } from '../glyphs.ts';
import { bindingsOn, isReadOnly } from '../keys.ts';
import type { DashboardState } from '../model.ts';
import { fit } from '../text.ts';
import { ruleLine } from './parts.ts';

const LABEL_WIDTH = 9;

export function helpLines(state: DashboardState, glyphs: Glyphs, height: number): Frame {
  const bindings = bindingsOn(state.screen);
  const half = Math.ceil(bindings.length / 2);
  const width = Math.floor((state.size.columns - 2) / 2);
  const entry = (index: number): Line => {
    const binding = bindings[index];
    if (binding === undefined) return [];
    const label = binding.label.replace('↓', glyphs.arrows.down).replace('↑', glyphs.arrows.up);
    return [
      cell(fit(label, LABEL_WIDTH, 'left', ''), 'accent'),
      cell(fit(binding.help, Math.max(0, width - LABEL_WIDTH), 'left', glyphs.ellipsis)),
    ];
  };
  const keys = Array.from({ length: half }, (_, row): Line => [cell('  '), ...entry(row), ...entry(row + half)]);
  const legend = legendLines(state, glyphs).map((text): Line => [cell(`  ${text}`, 'dim')]);
  return [ruleLine(`keys on ${state.screen}`, state.size.columns, glyphs), ...keys, ...legend].slice(0, height);
}

function legendLines(state: DashboardState, { admin, health, agent }: Glyphs): readonly string[] {
  return [
    ...(isReadOnly(state) ? ['[RO]: no key changes traffic; use weir shift, drain, undo'] : []),
    'filter: word  !not  state=up  region=eu, all must hold',
    'DES% asked for   EFF% planned now   OBS% seen in traffic',
    `ADMIN   ${admin.active} active  ${admin.drain} drain  ${admin.maintenance} maintenance  50%: dial`,
    `HEALTH  ${health.up} up  ${health.degraded} degraded  ${health.down} down  ${health.unknown} unknown`,
    `AGENT   ${agent.fresh} fresh  ${agent.stale} stale  ${agent.absent} none, with the age of its news`,
  ];
}
