// However `weir top` ends, the terminal is what it was: the screen of before, the cursor shown, the line settings unchanged.
import { deepEqual, match } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { until } from '../support/until.ts';
import { startTopSession, type TopSession, type TopSessionOptions } from '../support/top-session.ts';

interface Ending {
  readonly how: string;
  readonly end: (session: TopSession) => Promise<void>;
  readonly exitCode: number;
  readonly options?: TopSessionOptions;
  /** What must stand on the normal screen. */
  readonly says?: RegExp;
}

const signal = (name: NodeJS.Signals) => (session: TopSession) => {
  process.kill(session.processId(), name);
  return Promise.resolve();
};

const ENDINGS: readonly Ending[] = [
  { how: 'q', end: ({ terminal }) => terminal.press('q'), exitCode: 0 },
  { how: 'Ctrl-C', end: ({ terminal }) => terminal.press('C-c'), exitCode: 0 },
  { how: 'Ctrl-C while a filter is typed', end: ({ terminal }) => terminal.press('/', 'q', 'C-c'), exitCode: 0 },
  { how: 'SIGTERM', end: signal('SIGTERM'), exitCode: 130 },
  { how: 'SIGHUP', end: signal('SIGHUP'), exitCode: 130 },
  { how: 'SIGINT', end: signal('SIGINT'), exitCode: 130 },
  { how: 'SIGQUIT', end: signal('SIGQUIT'), exitCode: 130 },
  {
    how: 'an error that nobody catches',
    end: signal('SIGUSR2'),
    exitCode: 1,
    options: { instrumented: 'throw' },
    says: /a defect on purpose/,
  },
  {
    how: 'a rejection that nobody handles',
    end: signal('SIGUSR2'),
    exitCode: 1,
    options: { instrumented: 'reject' },
    says: /a defect on purpose/,
  },
];

describe('the terminal is as it was', () => {
  for (const { how, end, exitCode, options, says } of ENDINGS) {
    test(`after ${how}`, async () => {
      await using session = await startTopSession(options);
      const { terminal } = session;
      const before = await session.lineSettings('before');
      await session.launch();
      await terminal.waitForText('RPS 4021');
      deepEqual(await terminal.mode(), { alternateScreen: true, cursorShown: false });
      await end(session);
      const after = await terminal.waitForText(`ended ${exitCode}`);
      match(after, /written before/, 'the screen of before is back');
      if (says !== undefined) match(after, says);
      deepEqual(await terminal.mode(), { alternateScreen: false, cursorShown: true });
      deepEqual(await session.lineSettings('after'), before);
    });
  }
});

test('the terminal is as it was after a death that no handler sees', async () => {
  await using session = await startTopSession();
  const { terminal } = session;
  const before = await session.lineSettings('before');
  await session.launch();
  await terminal.waitForText('RPS 4021');
  process.kill(session.processId(), 'SIGKILL');
  const isBack = async (): Promise<boolean> => {
    const { alternateScreen, cursorShown } = await terminal.mode();
    return !alternateScreen && cursorShown;
  };
  await until(isBack, 'the watcher has given the screen back');
  // What the shell writes before that goes with the screen of the dashboard: nobody can hold it back.
  await terminal.waitForText('written before');
  deepEqual(await session.lineSettings('after'), before);
});

const STOPS: readonly (readonly [string, (session: TopSession) => Promise<void>])[] = [
  ['Ctrl-Z', ({ terminal }) => terminal.press('C-z')],
  ['a signal from elsewhere that stops it', (session) => signal('SIGTSTP')(session)],
];
for (const [how, stop] of STOPS) {
  test(`${how} gives the terminal to the shell, and fg brings the dashboard back`, async () => {
    await using session = await startTopSession({ shell: 'bash' });
    const { terminal } = session;
    await session.launch();
    await terminal.waitForText('RPS 4021');
    await stop(session);
    await terminal.waitForText('Stopped');
    deepEqual(await terminal.mode(), { alternateScreen: false, cursorShown: true });
    await terminal.type('fg');
    await terminal.waitForText('RPS 4021');
    await terminal.press('2');
    await terminal.waitForText('versions 4');
    await terminal.press('q');
    await terminal.waitFor((screen) => !screen.includes('versions 4') && screen.includes('ended 148'), 'the shell again');
    deepEqual(await terminal.mode(), { alternateScreen: false, cursorShown: true });
  });
}

test('after a stop that no process sees coming, the dashboard takes the terminal again as soon as it goes on', async () => {
  await using session = await startTopSession({ shell: 'bash' });
  const { terminal } = session;
  await session.launch();
  await terminal.waitForText('RPS 4021');
  await signal('SIGSTOP')(session);
  await terminal.waitForText('Stopped');
  await terminal.type('stty sane; clear; fg');
  await terminal.waitForAll(['RPS 4021', 'q:quit']);
  // A key counts without Enter, and is not echoed.
  await terminal.press('2');
  await terminal.waitForText('versions 4');
  await terminal.press('q');
  await terminal.waitFor((screen) => !screen.includes('versions 4'), 'the shell again');
  deepEqual(await terminal.mode(), { alternateScreen: false, cursorShown: true });
});

test('nothing gathers listeners over many frames, keys and resizes', async () => {
  await using session = await startTopSession({ everyMs: 20, instrumented: 'throw' });
  const { terminal, server } = session;
  await session.launch();
  await terminal.waitForText('RPS 4021');
  for (let round = 0; round < 8; round++) {
    await terminal.press('j', 's', 'Tab', '?', 'Escape', 'k');
    await terminal.resize(90 + round, 25 + round);
  }
  await terminal.waitFor(() => server.ticks > 100, 'a hundred statuses were sent');
  await terminal.press('C-c');
  match(await terminal.waitForText('ended 0'), /listeners 0 more after ([4-9]|\d\d+) looks/);
});
