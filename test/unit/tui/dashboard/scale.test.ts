// What the dashboard costs with 100 clusters and 1,000 services: CPU of a frame and of the news of a second, bytes to the terminal, and memory over a
// simulated day.
import { ok } from 'node:assert/strict';
import { Writable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { deflateRawSync } from 'node:zlib';
import { runInNewContext } from 'node:vm';
import { describe, test, type TestContext } from 'node:test';
import { deltaOf } from '../../../../balancer/controller/api/delta.ts';
import { applyDelta } from '../../../../tui/dashboard/apply-delta.ts';
import { decodeFeed } from '../../../../tui/dashboard/decode.ts';
import type { Action } from '../../../../tui/dashboard/model.ts';
import { reduce } from '../../../../tui/dashboard/model.ts';
import { openScreen } from '../../../../tui/dashboard/screen.ts';
import type { DashboardState, ScreenName } from '../../../../tui/dashboard/state.ts';
import { paint, THEMES } from '../../../../tui/dashboard/theme.ts';
import { dashboardFrame } from '../../../../tui/dashboard/views/dashboard.ts';
import { after, emptyState } from '../../../support/dashboard-state.ts';
import { extrasView } from '../../../support/feed-extras.ts';
import { LARGE, largeDocument } from '../../../support/large-status.ts';
import { busyStatus } from '../../../support/statuses.ts';

const SIZE = { columns: 200, rows: 60 };
/** What a frame may cost: the 60th part of a second. */
const FRAME_MS = 16;
const SCREENS: readonly ScreenName[] = ['overview', 'services', 'cluster', 'changes', 'edges', 'latency', 'events', 'service'];

/** CPU of this process in ms. */
function cpuMs(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

/** A terminal that counts what is written to it. */
class CountingTerminal extends Writable {
  columns = SIZE.columns;
  rows = SIZE.rows;
  isTTY = true;
  bytes = 0;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.bytes += chunk.length;
    done();
  }
}

const news = (second: number): Action & { readonly type: 'status' } => ({
  type: 'status',
  ...decodeFeed(largeDocument(second), 'operate'),
  atMs: 1000 * second,
});

describe(`with ${LARGE.clusters} clusters and ${LARGE.services} services`, () => {
  const documents = Array.from({ length: 12 }, (_, second) => news(second));

  for (const screen of SCREENS) {
    test(`a frame of ${screen} at 200x60 takes at most ${FRAME_MS} ms of CPU`, (t) => {
      let state: DashboardState = after(emptyState(SIZE), { type: 'screen', screen });
      const costs = documents.map((document) => {
        state = reduce(state, document);
        return cpuMs(() => paint(dashboardFrame(state), THEMES['256']));
      });
      const moves = documents.map(() =>
        cpuMs(() => {
          state = reduce(state, { type: 'move', by: 1 });
          paint(dashboardFrame(state), THEMES['256']);
        }),
      );
      t.diagnostic(`after news ${median(costs).toFixed(1)} ms, after a key ${median(moves).toFixed(1)} ms`);
      ok(median(costs) <= FRAME_MS, `after news: ${costs.map((each) => each.toFixed(1)).join(' ')}`);
      ok(median(moves) <= FRAME_MS, `after a key: ${moves.map((each) => each.toFixed(1)).join(' ')}`);
    });
  }

  test('the news of a second is a fraction of the document, and is applied and decoded beside the frames', (t) => {
    let raw: unknown = largeDocument(0);
    const whole = JSON.stringify(raw);
    decodeFeed(raw, 'read');
    const sizes: number[] = [];
    const costs: number[] = [];
    const parts: number[] = [];
    for (let second = 1; second < 8; second += 1) {
      // What the machine takes now to read the whole document, and to do nothing else with it.
      const readMs = cpuMs(() => void JSON.parse(whole));
      const text = JSON.stringify(deltaOf(raw, largeDocument(second))?.delta);
      sizes.push(text.length);
      costs.push(
        cpuMs(() => {
          raw = applyDelta(raw, JSON.parse(text));
          decodeFeed(raw, 'read');
        }),
      );
      parts.push((costs.at(-1) ?? 0) / readMs);
    }
    t.diagnostic(
      `document ${whole.length} bytes, ${median(parts).toFixed(1)} times JSON.parse, a second ${median(sizes)} bytes before compression, ${median(costs).toFixed(1)} ms of CPU`,
    );
    const packed = deflateRawSync(JSON.stringify(deltaOf(raw, largeDocument(8))?.delta), { level: 1 }).length;
    t.diagnostic(`compressed ${packed} bytes`);
    // Here every figure of every target moves every second, which no real day has.
    ok(median(sizes) < whole.length / 3);
    ok(packed < whole.length / 15);
    ok(median(parts) <= 7, `${parts.map((each) => each.toFixed(1)).join(' ')} times JSON.parse`);
  });

  test('a frame sends at most what fills the terminal, and one in which figures moved a fraction of it', async (t: TestContext) => {
    const output = new CountingTerminal();
    const screen = openScreen({ output: output as never, terminal: 'xterm-256color', unicode: true, onResize: () => undefined });
    let state = reduce(emptyState(SIZE), documents[0] ?? news(0));
    // What is drawn is written at the end of the turn.
    const draw = async (action: Action): Promise<number> => {
      const before = output.bytes;
      state = reduce(state, action);
      screen.draw(paint(dashboardFrame(state), THEMES['256']));
      await new Promise((resolve) => setImmediate(resolve));
      return output.bytes - before;
    };
    const first = await draw({ type: 'tick', nowMs: 1 });
    const later: number[] = [];
    for (const document of documents.slice(1)) later.push(await draw(document));
    const turned = await draw({ type: 'screen', screen: 'services' });
    const moved = await draw({ type: 'move', by: 1 });
    screen.close();
    t.diagnostic(`bytes: first ${first}, news ${median(later)}, another screen ${turned}, a row further ${moved}`);
    // Each cell is at most 3 bytes of UTF-8; colours change a few times a line.
    const full = SIZE.columns * SIZE.rows * 3 + SIZE.rows * 40 * 20;
    ok(first > 0 && first <= full && turned <= full);
    ok(median(later) <= full / 4, String(later));
    ok(moved <= full / 4, String(moved));
  });
});

test('a simulated day of news, keys and frames leaves no more memory taken than its first hour', (t) => {
  setFlagsFromString('--expose_gc');
  const collect = runInNewContext('gc') as () => void;
  const heap = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  let state = emptyState({ columns: 120, rows: 40 });
  let raw: unknown = null;
  const hour = (from: number): void => {
    // News every 10 seconds; with news every second the figures are the same, and it takes ten times as long.
    for (let second = from; second < from + 3600; second += 10) {
      const status = busyStatus({ revision: 42 + Math.floor(second / 600), at: new Date(1.7e12 + second * 1000).toISOString() });
      const document: unknown = JSON.parse(JSON.stringify({ status, ...extrasView(status, second) }));
      raw = raw === null ? document : applyDelta(raw, JSON.parse(JSON.stringify(deltaOf(raw, document)?.delta ?? { o: {} })));
      state = reduce(state, { type: 'status', ...decodeFeed(raw, 'operate'), atMs: second * 1000 });
      if (second % 20 !== 0) continue;
      const [key] = [SCREENS[(second / 20) % SCREENS.length] ?? 'overview'];
      state = reduce(state, { type: 'screen', screen: key });
      state = reduce(state, { type: 'mark' });
      state = reduce(state, { type: 'said', text: `second ${second}`, ok: true });
      dashboardFrame(state);
    }
  };
  hour(0);
  const early = heap();
  for (let passed = 1; passed < 24; passed += 1) hour(passed * 3600);
  const late = heap();
  t.diagnostic(`heap after an hour ${(early / 2 ** 20).toFixed(1)} MiB, after a day ${(late / 2 ** 20).toFixed(1)} MiB`);
  ok(late - early < 4 * 2 ** 20, `${early} → ${late}`);
});
