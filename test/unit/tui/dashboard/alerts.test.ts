// What is wrong, as a list: all of it, in order, in full, with what the runbook says, and the plan of what waits for a second person.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { frameText, hitAt } from '../../../../tui/dashboard/frame.ts';
import type { Action } from '../../../../tui/dashboard/model.ts';
import { runbookSection, sectionOf } from '../../../../tui/dashboard/runbook.ts';
import type { DashboardState } from '../../../../tui/dashboard/state.ts';
import { dashboardFrame } from '../../../../tui/dashboard/views/dashboard.ts';
import { after, liveState } from '../../../support/dashboard-state.ts';
import { busyStatus, changingStatus } from '../../../support/statuses.ts';

const CLASSIC = { columns: 80, rows: 24 };
const text = (state: DashboardState): string => frameText(dashboardFrame(state));
const press = (...keys: readonly string[]): readonly Action[] => keys.map((key) => ({ type: 'overlayKey', key }));
const open: Action = { type: 'overlay', kind: 'alerts' };

const long = `cluster za-cape is down: ${'and why it is takes very many words '.repeat(4)}to the end`;
const status = {
  ...changingStatus(),
  degraded: [long],
  warnings: ['certificate of listener tls expires in 4 days'],
  alerts: [
    { code: 'cluster_down', severity: 'problem' as const, text: long },
    { code: 'certificate_expires_soon', severity: 'warning' as const, text: 'certificate of listener tls expires in 4 days' },
  ],
};

describe('what is wrong', () => {
  test('is listed worst first, and the chosen one stands there in full', () => {
    const drawn = text(after(liveState(CLASSIC, status), open));
    match(drawn, /what is wrong, 3 ─+\n▸ ! cluster za-cape[^\n]*\n {2}\? 3 waits[^\n]*\n {2}~ certificate/);
    match(drawn, /very many words to the end/);
    match(drawn, /Enter shows what to do: docs\/runbook\.md#cluster-down/);
  });

  test('leads to the runbook and to the plan of an approval, by Enter and by a second click', () => {
    const state = { ...after(liveState(CLASSIC, status), open), asks: [] };
    const [asked] = after(state, ...press('enter')).asks;
    deepEqual(asked, { kind: 'runbook', code: 'cluster_down', text: long, number: asked?.number });
    const approving = after(state, { type: 'overlayItem', index: 1 }, { type: 'overlayItem', index: 1 });
    ok(approving.overlay?.kind === 'plan');
    deepEqual(approving.overlay.words, ['approve', '3']);
    equal(after(state, ...press('!')).overlay, null);
  });

  test('opens by a click on any of its lines at the top', () => {
    const frame = dashboardFrame(liveState(CLASSIC, status));
    for (const row of [2, 3, 4]) deepEqual(hitAt(frame, 5, row), { type: 'key', name: '!' });
  });

  test('is nothing when nothing is, and says whether a cluster can be lost', () => {
    const drawn = text(after(liveState(CLASSIC, busyStatus({ degraded: [], warnings: [], alerts: [], approvals: [] })), open));
    match(drawn, /nothing is wrong\n.*one cluster can be lost/);
  });

  test('of very many shows those around the chosen one', () => {
    const degraded = Array.from({ length: 50 }, (_, index) => `trouble ${index}`);
    const drawn = text(after(liveState(CLASSIC, busyStatus({ degraded, approvals: [] })), open, ...press('G', 'k')));
    match(drawn, /▸ ! trouble 48/);
  });
});

describe('the runbook', () => {
  test('has a section for each code, without its heading and the next one', () => {
    const markdown = readFileSync(join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'runbook.md'), 'utf8');
    const headings = [...markdown.matchAll(/^## (.+)$/gm)].map(([, heading = '']) => heading);
    for (const heading of headings) {
      const section = sectionOf(markdown, heading) ?? [];
      ok(section.join(' ').length > 40, heading);
      ok(!section.some((line) => line.startsWith('## ')), heading);
    }
    equal(sectionOf(markdown, 'no such heading'), null);
  });

  test('is read over the screen, in lines that fit', () => {
    const lines = runbookSection('cluster_down') ?? [];
    const state = after(liveState(CLASSIC, status), { type: 'told', title: 'what to do', lines });
    match(text(state), /what to do, Esc closes ─+\n {2}No endpoint of a cluster can be used\.[^]*weir maintenance NAME/);
  });
});
