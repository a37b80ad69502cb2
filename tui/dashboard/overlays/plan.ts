// The plan of a change: from and to, what moves, which rules have a say, the same as a command line, and what makes it.
import type { ChangeResult, Forecast } from '../../../balancer/controller/api/views.ts';
import { expectedText, spillText } from '../../change.ts';
import type { ActPlan } from '../../inside-acts.ts';
import { changesOf, lineOf, type PlanOverlay, takesReason, whyNot } from '../acting.ts';
import { formatRate, formatShare } from '../format.ts';
import { cell, type Frame, type Line, type Style } from '../frame.ts';
import type { Glyphs } from '../glyphs.ts';
import type { DashboardState, Planned } from '../state.ts';
import { shown } from '../state.ts';
import { cleanText, wrapped } from '../text.ts';
import { ruleLine } from '../views/parts.ts';

interface PlanDrawing {
  readonly overlay: PlanOverlay;
  readonly height: number;
}

export function planLines(state: DashboardState, glyphs: Glyphs, { overlay, height }: PlanDrawing): Frame {
  const { words, planned, queue } = overlay;
  const more = queue.length === 0 ? '' : `, ${queue.length} more after it`;
  const head: Frame = [
    ruleLine(`plan${more}`, state.size.columns, glyphs),
    [cell('  command  ', 'dim'), cell(lineOf(words), 'accent')],
    ...(planned === null ? [] : [summaryLine(planned)]),
  ];
  const foot = footLines(state, overlay);
  const room = Math.max(0, height - head.length - foot.length);
  const body =
    planned === null ? [] : planned.kind === 'change' ? bodyLines(state, planned.result, room) : actLines(state, planned.plan, room);
  return [...head, ...body.slice(0, room), ...foot];
}

function summaryLine(planned: Planned): Line {
  if (planned.kind === 'act') return [cell('  act      ', 'dim'), cell(planned.plan.summary, 'title')];
  const { summary, revision } = planned.result;
  return [cell('  change   ', 'dim'), cell(summary, 'title'), cell(`  based on revision ${revision}`, 'dim')];
}

/** What it says of itself, and what it moves. */
function actLines(state: DashboardState, { lines, preview, changes }: ActPlan, room: number): Frame {
  const said = lines.map((text): Line => [cell(`  ${text}`)]);
  if (!changes) return [...said, [cell('  nothing would change', 'dim')]];
  // A long list of differences is cut where there is no room, and says so.
  const most = Math.max(1, room - 1);
  const shownLines =
    said.length > most
      ? [
          ...said.slice(0, most - 1),
          [cell(`  ${said.length - most + 1} more lines; the command with --dry-run prints them`, 'dim' as const)],
        ]
      : said;
  return preview === null ? shownLines : [...shownLines, ...bodyLines(state, preview, Math.max(1, room - shownLines.length))];
}

/** What moves and which rules have a say go before the table, which is cut where there is too little room. */
function bodyLines(state: DashboardState, result: ChangeResult, room: number): Frame {
  if (!result.changed) return [[cell('  nothing would change', 'dim')]];
  const told = [...(result.forecast === null ? [] : forecastLines(state, result.forecast)), ...ruleLines(result)];
  return [...shareLines(result, Math.max(1, room - told.length - 1)), ...told];
}

/** A head and at most `most` targets, those that move most first. */
export function shareLines({ shares }: ChangeResult, most: number): Frame {
  if (shares.length === 0) return [[cell('  no share changes', 'dim')]];
  const moved = (share: (typeof shares)[number]): number => Math.abs(share.after.effective - share.before.effective);
  const rows = shares.toSorted((one, other) => moved(other) - moved(one));
  const name = (share: (typeof shares)[number]): string => `${share.service}/${share.version} in ${share.cluster}`;
  const width = Math.min(40, Math.max(8, ...rows.map((share) => name(share).length)));
  const lines = rows.slice(0, most).map((share): Line => {
    const { before, after, reasons } = share;
    const up = after.effective > before.effective;
    return [
      cell(`  ${name(share).slice(0, width).padEnd(width)}  `),
      cell(`${formatShare(before.desired).padStart(5)} → ${formatShare(after.desired).padStart(5)}   `),
      cell(
        `${formatShare(before.effective).padStart(5)} → ${formatShare(after.effective).padStart(5)}`,
        moved(share) === 0 ? 'plain' : up ? 'good' : 'warn',
      ),
      cell(
        `  ${reasons
          .filter((reason) => reason !== 'intent')
          .join(', ')
          .replaceAll('_', ' ')}`,
        'dim',
      ),
    ];
  });
  const hidden = rows.length - lines.length;
  const head: Line = [
    cell(`  ${'TARGET'.padEnd(width)}  ${'ASKED %'.padEnd(14)}  PLANNED %${hidden > 0 ? `       (${hidden} more)` : ''}`, 'head'),
  ];
  return [head, ...lines];
}

/** Requests a second that go elsewhere, what clusters are left with, and what is lost. */
function forecastLines(state: DashboardState, { clusters, moved, lostRps, headroom, spill, expected }: Forecast): Frame {
  const services = shown(state).snapshot?.status.services ?? [];
  const rpsOf = (service: string): number => services.find(({ name }) => name === service)?.traffic.rps ?? 0;
  const movedRps = moved.reduce(
    (sum, { service, toOtherPlace, toOtherVersion }) => sum + rpsOf(service) * Math.max(toOtherPlace, toOtherVersion),
    0,
  );
  const all = shown(state).snapshot?.status.traffic.rps ?? 0;
  const part = all === 0 ? '' : `, ${formatShare(Math.min(1, movedRps / all))} % of all`;
  const loads = clusters.map(({ cluster, before, after }) => {
    const used = after.utilisation === null ? '' : ` (${Math.round(after.utilisation * 100)} % of its capacity)`;
    return `${cluster} ${formatRate(before.rps)} → ${formatRate(after.rps)}${used}`;
  });
  const isTight = clusters.some(({ after }) => (after.utilisation ?? 0) >= 1);
  const moves = `  moves ${formatRate(movedRps)} requests/s${part}`;
  const [beside = '', ...below] = packed(loads, state.size.columns - moves.length - 3, state.size.columns - 4);
  const loadStyle = isTight ? 'bad' : 'plain';
  return [
    [cell(moves, 'title'), cell(beside === '' ? '' : `:  ${beside}`, loadStyle)],
    ...below.map((line): Line => [cell(`    ${line}`, loadStyle)]),
    ...(lostRps.before > 0 || lostRps.after > 0
      ? [
          [
            cell(
              `  answered 503 for want of a place: ${formatRate(lostRps.before)} → ${formatRate(lostRps.after)} requests/s`,
              'bad' as const,
            ),
          ],
        ]
      : []),
    [cell(`  one cluster could be lost then: ${headroom}`, headroom.startsWith('no') ? 'warn' : 'dim')],
    ...worstSpill(spill).flatMap((one) => wholeLines(state, spillText(one), one.shedRps > 0 ? 'warn' : 'dim')),
    ...expected.flatMap((one) => wholeLines(state, expectedText(one), 'dim')),
  ];
}

function wholeLines({ size }: DashboardState, text: string, style: Style): Frame {
  return wrapped(cleanText(text), size.columns - 6).map((line): Line => [cell(`    ${line}`, style)]);
}

/** Clusters whose loss is told, those that would cost requests first. */
const SPILL_LINES = 3;

function worstSpill(spill: Forecast['spill']): Forecast['spill'] {
  return spill.toSorted((one, other) => other.shedRps - one.shedRps).slice(0, SPILL_LINES);
}

/** As many on each line as there is room for: what a cluster is left with is never cut. The first line has less room, perhaps none. */
function packed(parts: readonly string[], first: number, width: number): readonly string[] {
  const lines = [''];
  for (const part of parts) {
    const last = lines.at(-1) ?? '';
    const longer = last === '' ? part : `${last}   ${part}`;
    if (longer.length <= (lines.length === 1 ? first : width)) lines[lines.length - 1] = longer;
    else lines.push(part);
  }
  return lines;
}

function ruleLines({ needsApproval, refusals }: ChangeResult): Frame {
  if (refusals.length > 0) return refusals.map((why) => [cell(`  rules: it would be refused: ${why}`, 'bad')]);
  if (needsApproval.length === 0) return [[cell('  rules: none is broken', 'good')]];
  return [[cell(`  rules: it waits for a second person, for the sake of ${needsApproval.join(', ')} (safety.approval)`, 'warn')]];
}

function footLines(state: DashboardState, { phase, reason, planned, queue }: PlanOverlay): Frame {
  if (reason !== null)
    return [[cell('  reason ', 'accent'), cell(reason), cell(' ', 'selected'), cell('  Enter takes it, Esc does not', 'dim')]];
  switch (phase.kind) {
    case 'asking':
      return [[cell(`  ${phase.says ?? 'asking the appliance what it comes to'}  (Esc leaves)`, phase.says === null ? 'dim' : 'warn')]];
    case 'refused':
      return [...messageLines('refused: ', phase.message, state), [cell('  Esc leaves', 'dim')]];
    case 'shown':
      return planned !== null && changesOf(planned) ? [shownLine(state, planned)] : [[cell('  Esc leaves', 'dim')]];
    case 'armed':
      return [[cell(`  press y to apply${state.context === null ? '' : ` to ${state.context.name}`}; any other key goes back`, 'bad')]];
    case 'typed':
      return [
        [cell(`  ${phase.question}`, 'bad')],
        [
          cell('  type '),
          cell(phase.word, 'title'),
          cell(' and press Enter: '),
          cell(phase.typed, phase.word.startsWith(phase.typed) ? 'good' : 'bad'),
          cell(' ', 'selected'),
          cell('  Esc goes back', 'dim'),
        ],
      ];
    case 'applying':
      return [[cell('  applying', 'warn')]];
    case 'applied':
      return appliedLines(phase.result, queue.length);
    case 'done':
      return [
        [cell(`  ${phase.text}`, 'good')],
        [cell(queue.length > 0 ? `  Enter goes on to the next of ${queue.length}` : '  Esc leaves', 'dim')],
      ];
    case 'failed':
      return [...messageLines('not applied: ', phase.message, state), [cell('  Esc leaves', 'dim')]];
  }
}

function shownLine(state: DashboardState, planned: Planned): Line {
  const refusal = whyNot(state);
  const rest = [cell('c ', 'accent'), cell('copy   '), cell('Esc ', 'accent'), cell('leave')];
  if (refusal !== null) return [cell(`  ${refusal}   `, 'warn'), ...rest];
  const reason = takesReason(planned) ? [cell('r ', 'accent'), cell('reason   ')] : [];
  return [cell('  a ', 'warn'), cell('apply (asks once more)   '), ...reason, ...rest];
}

function messageLines(before: string, message: string, { size }: DashboardState): Frame {
  const lines = `${before}${message}`.split('\n').flatMap((line) => wrapped(line, size.columns - 4));
  return lines.slice(0, 8).map((line): Line => [cell(`  ${line}`, 'bad')]);
}

function appliedLines({ revision, applied, undo }: ChangeResult, more: number): Frame {
  const laggards = [...(applied?.laggards ?? []), ...(applied?.fleet?.laggards ?? [])];
  const where =
    applied === null ? '' : `: served by ${applied.acknowledged}/${applied.workers} workers in ${Math.round(applied.tookMs)} ms`;
  return [
    [cell(`  applied as revision ${revision}${where}`, laggards.length === 0 ? 'good' : 'warn')],
    ...(laggards.length === 0 ? [] : [[cell(`  not yet by ${laggards.join(', ')}`, 'warn' as const)]]),
    [
      cell(
        `  ${undo === '' ? '' : 'u undo (by another plan)   '}${more > 0 ? `Enter goes on to the next of ${more}` : 'Esc leaves'}`,
        'dim',
      ),
    ],
  ];
}
