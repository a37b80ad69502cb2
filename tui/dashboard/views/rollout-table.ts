// Rollouts under way, one line each: how far they are, what the step still waits for, what the gates say.
import type { GateView, RolloutView } from '../../../balancer/controller/api/views.ts';
import { countdown, percent } from '../../format.ts';
import type { Column, Table } from '../columns.ts';
import type { Style } from '../frame.ts';

export const PHASE_STYLE: Readonly<Record<RolloutView['phase'], Style>> = {
  ...{ running: 'good', promoted: 'good', paused: 'warn', frozen: 'bad', rolled_back: 'bad', aborted: 'warn' },
};

/** Where there is too little room for all: those that need somebody first. */
const PHASE_RANK: Readonly<Record<RolloutView['phase'], number>> = {
  ...{ frozen: 0, paused: 1, running: 2, rolled_back: 3, aborted: 3, promoted: 3 },
};

export function rolloutRows(rollouts: readonly RolloutView[]): readonly RolloutView[] {
  return rollouts.toSorted((one, other) => PHASE_RANK[one.phase] - PHASE_RANK[other.phase]);
}

const longest = (texts: readonly string[]): number => Math.max(0, ...texts.map((text) => text.length));

/** `snapshotAgeMs`: what is left has shrunk by it. */
export function rolloutTable(snapshotAgeMs: number): Table<RolloutView> {
  const left = (row: RolloutView): string => leftText(row, snapshotAgeMs);
  return {
    columns: [
      named('service', 'ROLLOUT', 10, (row) => row.service),
      named('to', 'TO', 6, (row) => row.to),
      { ...plain('phase', 'STATE', 7, (row) => row.phase), style: (row) => PHASE_STYLE[row.phase] },
      plain('step', 'STEP', 6, stepText),
      { ...plain('share', 'SHARE', 5, (row) => percent(row.percent)), align: 'right' },
      { id: 'left', title: 'LEFT', align: 'right', narrow: 7, wide: 7, upTo: (rows) => longest(rows.map(left)), value: left },
      { ...plain('wave', 'IN', 8, whereText), optional: true, upTo: (rows) => Math.min(30, longest(rows.map(whereText))) },
      {
        ...{ id: 'gates', title: 'GATES', align: 'left', narrow: 11, wide: 20 },
        upTo: (rows) => longest(rows.map(({ gates }) => gatesText(gates))),
        value: ({ gates }) => gatesText(gates),
        style: ({ gates }) => gatesStyle(gates),
      },
    ],
    steps: ['gates', 'wave'],
  };
}

function plain(id: string, title: string, width: number, value: (row: RolloutView) => string): Column<RolloutView> {
  return { id, title, align: 'left', narrow: width, wide: width, value };
}

/** Grows to the longest there is, as far as there is room. */
function named(id: string, title: string, width: number, value: (row: RolloutView) => string): Column<RolloutView> {
  return { ...plain(id, title, width, value), upTo: (rows) => Math.min(32, longest(rows.map(value))) };
}

/** `2/5`; with waves `w1 2/5`. */
function stepText({ step, steps, waves, wave }: RolloutView): string {
  return `${waves === null ? '' : `w${wave + 1} `}${step + 1}/${steps.length}`;
}

/** `1/2 eu-west+eu-north` */
function whereText({ waves, wave }: RolloutView): string {
  return waves === null ? '' : `${wave + 1}/${waves.length} ${(waves[wave] ?? []).join('+')}`;
}

/** Of the hold; when that is over, of the requests. A rollout that stands waits for somebody. */
function leftText({ phase, heldSeconds, holdSeconds, requests, minRequests }: RolloutView, snapshotAgeMs: number): string {
  if (phase !== 'running') return '-';
  const seconds = holdSeconds - heldSeconds - snapshotAgeMs / 1000;
  if (seconds > 0) return countdown(seconds);
  return requests < minRequests ? `${requests}/${minRequests} req` : '0s';
}

/** What fails first, then what cannot tell; a host that does not lead the fleet asks none. */
function gatesText(gates: readonly GateView[]): string {
  if (gates.length === 0) return '-';
  const named = (verdict: GateView['verdict']): string =>
    gates
      .filter((gate) => gate.verdict === verdict)
      .map(({ gate }) => gate)
      .join(' ');
  const [failing, open] = [named('fail'), named('insufficient')];
  const passed = `${gates.filter(({ verdict }) => verdict === 'pass').length}/${gates.length} pass`;
  if (failing !== '') return `FAIL ${failing}`;
  return open === '' ? passed : `${passed}, ${open}?`;
}

function gatesStyle(gates: readonly GateView[]): Style {
  if (gates.some(({ verdict }) => verdict === 'fail')) return 'bad';
  return gates.some(({ verdict }) => verdict === 'insufficient') ? 'warn' : 'plain';
}
