// Draws the pictures of docs/screens/: `npm run pictures`. A real dashboard in a real terminal, on the news of a busy day.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startAdminServer } from './admin-server.ts';
import { WEIR } from './command.ts';
import { pastHour } from './past-hour.ts';
import { changingStatus } from './statuses.ts';
import { TestTerminal } from './terminal.ts';
import { pictureOf } from './terminal-picture.ts';
import { startTopSession } from './top-session.ts';

const SIZE = { columns: 120, rows: 36 };
const DIRECTORY = join(import.meta.dirname, '..', '..', 'docs', 'screens');

const TABS = [
  ['1', 'overview', 'clusters 4'],
  ['2', 'services', 'versions 4'],
  ['3', 'cluster', 'endpoints 1'],
  ['4', 'changes', 'revisions 4'],
  ['5', 'edges', 'workers 8'],
  ['6', 'latency', 'histogram of'],
  ['7', 'events', 'events 9'],
] as const;

async function save(terminal: TestTerminal, name: string): Promise<void> {
  // A frame may be seen half drawn.
  await delay(500);
  writeFileSync(join(DIRECTORY, `${name}.svg`), pictureOf(await terminal.colouredScreen(), SIZE));
}

/** Of whichever cluster is asked for: the first one that is looked at. */
const HISTORY = {
  'GET /v1/history/metrics': () => ({ status: 200, value: { kind: 'history', revision: 42, items: [pastHour('cluster/ap-south')] } }),
};

async function drawScreens(): Promise<void> {
  await using session = await startTopSession({ ...SIZE, status: changingStatus(), answers: HISTORY });
  const { terminal } = session;
  await session.launch();
  await terminal.waitForText('clusters 4');
  // Charts fill while this waits.
  await delay(20_000);
  for (const [key, name, title] of TABS) {
    await terminal.press(key);
    await terminal.waitForText(title);
    await save(terminal, name);
  }
  await terminal.press('3');
  await terminal.waitForText('health, last hour');
  await terminal.press('<');
  await terminal.press(']');
  await terminal.press(']');
  await terminal.waitForAll(['[PAST last 1 h]', 'a point', 'health, as above']);
  await save(terminal, 'past');
  await terminal.press('7');
  await terminal.waitForText('events 9');
  await terminal.press('?');
  await terminal.waitForText('keys on events');
  await save(terminal, 'help');
}

/** The recording appliance answers previews; its dashboard is drawn with a plan on it. */
async function drawPlan(): Promise<void> {
  await using admin = await startAdminServer();
  const directory = mkdtempSync(join(tmpdir(), 'weir-pictures-'));
  await using terminal = await TestTerminal.start({ ...SIZE, directory });
  await terminal.type(`"${process.execPath}" "${WEIR}" top --server unix:${admin.socketPath}`);
  await terminal.waitForText('clusters 2');
  await terminal.press('2');
  await terminal.waitForText('versions');
  await terminal.press('w');
  await terminal.waitForText('weights of');
  await terminal.press('{');
  await terminal.waitForText('PLANNED %');
  await save(terminal, 'weights');
  await terminal.press('Enter');
  await terminal.waitForText('a apply');
  await save(terminal, 'plan');
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}

mkdirSync(DIRECTORY, { recursive: true });
await drawScreens();
await drawPlan();
process.exit(0);
