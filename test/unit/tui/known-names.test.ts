// Names for completion from the news that is on the screen: without a question where it tells them.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import type { NameKind } from '../../../tui/complete.ts';
import { namesOnScreen } from '../../../tui/known-names.ts';
import { liveState } from '../../support/dashboard-state.ts';
import { changingStatus } from '../../support/statuses.ts';

test('what the news tells is known, what it does not tell has to be asked for', () => {
  const { latest } = liveState({ columns: 80, rows: 24 }, changingStatus());
  ok(latest !== null);
  const names = (kind: NameKind, service = '') => namesOnScreen(latest, kind, service);
  deepEqual(names('services'), ['shop', 'search']);
  deepEqual(names('versions', 'shop'), ['blue', 'green']);
  deepEqual(names('versions', 'nothing'), []);
  deepEqual(names('approvals'), ['3']);
  deepEqual(names('revisions'), ['42', '41', '40', '39']);
  equal(names('workers')?.length, 8);
  deepEqual(names('edges'), ['edge-3', 'edge-4']);
  for (const kind of ['tokens', 'consumers', 'drills', 'contexts', 'views', 'routes'] as const) equal(names(kind), null);
  equal(namesOnScreen({ ...latest, extras: null }, 'workers', ''), null);
});
