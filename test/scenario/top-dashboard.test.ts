// `weir top` as an operator meets it: a real terminal, real keys, a real stream of statuses over a unix socket.
import { deepEqual, doesNotMatch, match } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { busyStatus, clusterView } from '../support/statuses.ts';
import { startTopSession } from '../support/top-session.ts';
import { until } from '../support/until.ts';

describe('weir top', () => {
  test('shows the clusters, moves, filters, helps, turns screens and quits, and asks the appliance for nothing but what it shows', async () => {
    await using session = await startTopSession();
    const { terminal, server } = session;
    await session.launch();
    const parts = ['▸ ap-south', 'edge-3', 'rev 42 (alice', '[RW]', 'workers 8/8', '◐ drain', '○ down', '█', 'shop', 'RPS 4021', 'q:quit'];
    await terminal.waitForAll(parts);
    await terminal.press('j', 'Down');
    await terminal.waitForText('▸ us-east');
    await terminal.press('G');
    await terminal.waitForText('▸ za-cape');
    await terminal.press('k');
    await terminal.waitForText('▸ us-east');

    // As a person sees it: of more than a few keys in one piece, as they come over a line that was stuck, an Enter is nobody's decision.
    await terminal.press('/');
    await terminal.waitForText('Enter keeps, Esc takes back');
    await terminal.send('health=up');
    await terminal.waitForText('/health=up');
    await terminal.press('Enter');
    const filtered = await terminal.waitForText('clusters 2 of 4, filter health=up');
    match(filtered, /▸ us-east/);
    doesNotMatch(filtered, /^ {2}za-cape/m);
    await terminal.press('Escape');
    await terminal.waitForText('clusters 4, by name');

    await terminal.press('?');
    await terminal.waitForText('keys on overview');
    await terminal.press('Escape');
    await terminal.waitForText('clusters 4');
    await terminal.press('Tab');
    await terminal.waitForText('versions 4');
    await terminal.press('Enter');
    await terminal.waitForText('service search');
    await terminal.press('Escape');
    await terminal.waitForText('versions 4');
    await terminal.press('7');
    await terminal.waitForText('worker-2 ejected');
    for (const [key, title] of [
      ['3', 'cluster us-east'],
      ['4', 'revisions 4'],
      ['5', 'workers 8'],
      ['6', 'histogram of'],
    ] as const) {
      await terminal.press(key);
      await terminal.waitForText(title);
    }
    await terminal.press('1');
    await terminal.waitForText('▸ us-east');

    await terminal.press('q');
    await terminal.waitForText('ended 0');
    const asked = ['GET /v1/status', 'GET /v1/feed', 'GET /v1/history/metrics', 'GET /v1/results/search', 'GET /v1/routes'];
    deepEqual([...new Set(server.asked)], asked);
  });

  test('reads the status alone where the appliance has no feed yet', async () => {
    await using session = await startTopSession({ feed: false });
    const { terminal, server } = session;
    await session.launch();
    await terminal.waitForAll(['▸ ap-south', 'RPS 4021']);
    await terminal.press('5');
    await terminal.waitForText('weir get workers');
    deepEqual([...new Set(server.asked)], ['GET /v1/status', 'GET /v1/feed', 'GET /v1/watch']);
  });

  test('follows what the appliance sends, and holds still when it is frozen', async () => {
    await using session = await startTopSession();
    const { terminal, server } = session;
    await session.launch();
    await terminal.waitForText('rev 42');
    server.publish(busyStatus({ revision: 43 }));
    await terminal.waitForText('rev 43');
    await terminal.press('p');
    await terminal.waitForText('[FROZEN');
    server.publish(busyStatus({ revision: 44 }));
    const ticks = server.ticks;
    await until(() => server.ticks > ticks + 8, 'more statuses were sent');
    match(await terminal.screen(), /rev 43/);
    await terminal.press('p');
    await terminal.waitForText('rev 44');
  });

  test('fits itself to every new size, and says so when there is too little room', async () => {
    await using session = await startTopSession({ columns: 120, rows: 40 });
    const { terminal } = session;
    await session.launch();
    await terminal.waitForAll(['eu-west', 'TREND']);
    await terminal.resize(80, 24);
    // tmux itself cuts the screen at once; only a new frame has the footer in the last line.
    const fits = (screen: string): boolean => screen.includes('OBS%') && !screen.includes('TREND') && /q:quit\s*$/.test(screen);
    await terminal.waitFor(fits, 'drawn for 80 columns');
    await terminal.resize(58, 12);
    await terminal.waitForText('terminal too small (58x12), need 60x15');
    await terminal.resize(60, 15);
    await terminal.waitForAll(['eu-west', 'EFF%', 'q:quit']);
  });

  test('says that the appliance is gone and since when, and goes on when it is back', async () => {
    await using session = await startTopSession();
    const { terminal, server } = session;
    await session.launch();
    await terminal.waitForText('● up');
    await server.stop();
    const lost = await terminal.waitForText(/! disconnected since \d\d:\d\d:\d\d/);
    match(lost, /\[STALE/);
    doesNotMatch(lost, /● up/);
    await server.start(session.socketPath);
    await terminal.waitFor((screen) => screen.includes('● up') && !screen.includes('disconnected'), 'connected again', 20_000);
  });

  test('draws names that are meant to do harm as harmless text', async () => {
    const clusters = [clusterView('a\x1b[2Jb'), clusterView('{red-fg}c{/}'), clusterView('名前'), clusterView('e\u0301\u202ex')];
    await using session = await startTopSession({ status: busyStatus({ clusters }), columns: 140 });
    const { terminal } = session;
    await session.launch();
    await terminal.waitForAll(['RPS 4021', 'clusters 4', 'a[2Jb', '{red-fg}c{/}', '··', 'éx']);
  });

  test('does not take pasted text for commands, with and without paste marks', async () => {
    await using session = await startTopSession();
    const { terminal } = session;
    await session.launch();
    await terminal.waitForText('▸ ap-south');
    await terminal.paste('2q3q', true);
    await terminal.paste('jjq2', false);
    // The two movements at its head are all that is obeyed.
    match(await terminal.waitForText('▸ us-east'), /clusters 4/);
    await terminal.press('/');
    await terminal.paste('state=down', true);
    await terminal.waitForText('clusters 1 of 4, filter state=down');
  });

  test('draws with ASCII alone where the locale is not UTF-8', async () => {
    await using session = await startTopSession({ env: { LANG: 'C' } });
    await session.launch();
    const screen = await session.terminal.waitForAll(['> ap-south', '+ up', 'q:quit']);
    match(screen, /^[\x20-\x7e\n]*$/);
    doesNotMatch(screen, /\?{2}/);
  });

  for (const term of ['tmux-256color', 'xterm-kitty', 'linux', 'vt220']) {
    test(`draws on TERM=${term} without complaints`, async () => {
      await using session = await startTopSession({ env: { TERM: term } });
      const { terminal } = session;
      await session.launch();
      match(await terminal.waitForText('RPS 4021'), /edge-3/);
      await terminal.press('q');
      const after = await terminal.waitForText('ended 0');
      doesNotMatch(after, /error/i);
    });
  }

  test('refuses a terminal it cannot draw on and names the way out', async () => {
    await using session = await startTopSession({ env: { TERM: 'dumb' } });
    await session.launch();
    match(await session.terminal.waitForText('ended 2'), /TERM is dumb[^]*weir top --plain/);
  });
});
