// Changes: rollouts with their steps and what their gates say, then the revisions; Enter shows what one changed, u takes the last one back.
import type { RevisionLineView, RolloutView } from '../../../balancer/controller/api/views.ts';
import { countdown, percent } from '../../format.ts';
import { glideLines } from '../../glide-text.ts';
import { formatTimeOfDay } from '../format.ts';
import { cell, type Cell, type Frame, type Line, type Style } from '../frame.ts';
import { listScreen, type Looking, type Sight } from '../screen-definition.ts';
import { PHASE_STYLE, rolloutRows } from '../views/rollout-table.ts';
import { isNamed } from '../views/naming.ts';
import { ruleLine } from '../views/parts.ts';
import { approvalText, glidesOf } from '../views/header.ts';

const longest = (texts: readonly string[]): number => Math.max(0, ...texts.map((text) => text.length));

/** An appliance without a feed tells its last revision alone. */
function revisionsOf({ snapshot }: Pick<Looking, 'snapshot'>): readonly RevisionLineView[] {
  if (snapshot.extras !== null) return snapshot.extras.revisions;
  const last = snapshot.status.lastRevision;
  if (last === null) return [];
  const { revision, at, author, text } = last;
  return [{ ...{ revision, at, author, how: '', source: '', reason: '' }, fields: [], what: [text], undoes: null, approvedBy: null }];
}

/** An older appliance names the fields alone. */
function whatText({ reason, fields, what, undoes, approvedBy }: RevisionLineView): string {
  const changes = what.length === 0 ? fields.join(', ') : what.join('; ');
  const why = reason === '' ? '' : ` (${reason})`;
  return `${undoes === null ? '' : `undoes ${undoes}: `}${changes}${why}${approvedBy === null ? '' : `, approved by ${approvedBy}`}`;
}

export const changesScreen = listScreen<RevisionLineView>({
  name: 'changes',
  label: 'changes',
  key: '4',
  follows: true,
  opens: 'revision',
  noun: 'revisions',
  id: ({ revision }) => String(revision).padStart(16, '0'),
  search: (row) => ({
    text: `${row.revision} ${row.author} ${row.source} ${whatText(row)}`,
    fields: {
      ...{ author: [row.author], by: [row.author], source: [row.source], state: [row.source], name: [String(row.revision)] },
      field: row.fields,
    },
  }),
  sorts: { newest: (a, b) => b.revision - a.revision },
  rows: revisionsOf,
  none: () => 'nothing was changed yet',
  subject: ({ revision }) => ({ revision }),
  moment: ({ at, fields }, { snapshot: { status } }) => {
    // `shop.split`, `eu-west.admin`
    const named = fields.map((field) => field.split('.')[0] ?? '');
    const find = (all: readonly { readonly name: string }[]): string | undefined => all.find(({ name }) => named.includes(name))?.name;
    return { atMs: Date.parse(at), cluster: find(status.clusters), service: find(status.services) };
  },
  table: () => ({
    columns: [
      { id: 'revision', title: 'REV', align: 'right', narrow: 6, wide: 6, value: ({ revision }) => String(revision) },
      {
        id: 'at',
        title: 'TIME UTC',
        align: 'left',
        narrow: 8,
        wide: 19,
        value: ({ at }, width) => timeText(at, width),
        style: () => 'dim',
      },
      {
        ...{ id: 'author', title: 'BY', align: 'left', narrow: 10, wide: 10 },
        upTo: (rows) => Math.min(24, longest(rows.map(({ author }) => author))),
        value: ({ author }) => author,
      },
      { id: 'source', title: 'SOURCE', align: 'left', narrow: 8, wide: 8, value: ({ source }) => source, style: () => 'dim' },
      { id: 'what', title: 'WHAT', align: 'left', narrow: 10, wide: 10, upTo: () => Number.MAX_SAFE_INTEGER, value: whatText },
    ],
    steps: ['at'],
  }),
  above: rolloutLines,
});

/** The day where there is room for it. */
function timeText(at: string, width: number): string {
  return width < 19 ? formatTimeOfDay(Date.parse(at)) : at.slice(0, 19).replace('T', ' ');
}

/** Each rollout with its steps and a line for each gate, as far as there is room; what waits for a second person. */
function rolloutLines(sight: Sight, height: number): Frame {
  const { state, snapshot, nowMs, glyphs } = sight;
  const { rollouts, approvals, timed } = snapshot.status;
  const ageMs = nowMs - snapshot.receivedAtMs;
  const waiting = approvals.map((approval): Line => [cell(`  ? ${approvalText(approval, ageMs)}`, 'warn')]);
  const returning = timed.map(({ fields, remainingSeconds, revision }): Line => {
    const what = fields.map(({ field, held, before }) => `${field} ${held} → ${before}`).join(', ');
    return [cell(`  returns in ${countdown(remainingSeconds - ageMs / 1000)}: `, 'warn'), cell(`${what} (revision ${revision})`)];
  });
  const gliding = glideLines(glidesOf(snapshot.status), ageMs / 1000).map((line): Line => [cell('  on its way: ', 'warn'), cell(line)]);
  const running = rolloutRows(rollouts).flatMap((rollout) => oneRollout(sight, rollout, ageMs));
  const none: Frame =
    running.length + gliding.length + waiting.length + returning.length === 0
      ? [[cell('  no rollout is under way, nothing returns by itself', 'dim')]]
      : [];
  const lines = [...running, ...gliding, ...waiting, ...returning, ...none];
  const room = Math.max(2, height) - 1;
  const more: Frame = [[cell(`  and ${lines.length - room + 1} lines more: weir canary status, weir status`, 'dim')]];
  const shownLines = lines.length <= room ? lines : [...lines.slice(0, room - 1), ...more];
  return [ruleLine(`in progress`, state.size.columns, glyphs), ...shownLines];
}

/** Steps of it that have a line: the newest. */
const STEP_LINES = 3;

/** What has become of it, newest first, as far as events tell. */
function stepLines({ snapshot }: Sight, { service, begunAt }: RolloutView): Frame {
  const isOfIt = (text: string): boolean => isNamed(text, service) && Number(/^revision (\d+)\b/.exec(text)?.[1] ?? begunAt) >= begunAt;
  return snapshot.status.events
    .filter(({ kind, text }) => kind === 'rollout' && isOfIt(text))
    .slice(0, STEP_LINES)
    .map(({ at, text }): Line => [cell(`    ${formatTimeOfDay(Date.parse(at))} ${text}`, 'dim')]);
}

function oneRollout(sight: Sight, rollout: RolloutView, ageMs: number): Frame {
  const { glyphs } = sight;
  const { service, to, phase, waves, wave, note, onFail } = rollout;
  const where = waves === null ? '' : `  wave ${wave + 1} of ${waves.length}: ${(waves[wave] ?? []).join(', ')}`;
  const title: Line = [
    cell(`  ${service} to ${to}`, 'title'),
    cell(`  ${phase}`, PHASE_STYLE[phase]),
    cell(`${where}  on a failed gate: ${onFail}`, 'dim'),
    ...(note === '' ? [] : [cell(`  ${note}`, 'warn')]),
  ];
  const left = rollout.holdSeconds - rollout.heldSeconds - ageMs / 1000;
  const waits =
    phase !== 'running'
      ? ''
      : left > 0
        ? `  next in ${countdown(left)}`
        : rollout.requests < rollout.minRequests
          ? `  waits for ${rollout.requests}/${rollout.minRequests} requests`
          : '  next now';
  const steps: Cell[] = rollout.steps.flatMap((share, index) => {
    const style: Style = index < rollout.step ? 'good' : index === rollout.step ? 'title' : 'dim';
    const sign = index < rollout.step ? glyphs.bar.full : index === rollout.step ? glyphs.marker : glyphs.bar.empty;
    return [cell(`  ${sign} ${percent(share)}`, style)];
  });
  const gates = rollout.gates.map(({ gate, verdict, says }): Line => {
    const style: Style = verdict === 'fail' ? 'bad' : verdict === 'pass' ? 'good' : 'warn';
    return [cell(`    ${(verdict === 'insufficient' ? 'waits' : verdict).padEnd(6)}`, style), cell(`${gate}  `), cell(says, 'dim')];
  });
  return [title, [...steps, cell(waits, 'accent')], ...gates, ...stepLines(sight, rollout)];
}
