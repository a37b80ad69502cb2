// Acting from `weir top`: the real admin API behind a real terminal. Every change is shown first, made by two keys or a typed word, and never by Enter.
import { deepEqual, doesNotMatch, equal, match } from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startAdminServer, type AdminServer } from '../support/admin-server.ts';
import { WEIR } from '../support/command.ts';
import { TestTerminal } from '../support/terminal.ts';
import { until } from '../support/until.ts';

interface Session extends AsyncDisposable {
  readonly admin: AdminServer;
  readonly terminal: TestTerminal;
  readonly directory: string;
}

interface SessionOptions {
  readonly args?: string;
  /** Of the context file; `SOCKET` stands for where the appliance is. */
  readonly contexts?: string;
  readonly insideTmux?: boolean;
}

async function start({ args = '', contexts, insideTmux = false }: SessionOptions = {}): Promise<Session> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-acting-'));
  const admin = await startAdminServer();
  if (contexts !== undefined) {
    mkdirSync(join(directory, '.config', 'weir'), { recursive: true });
    writeFileSync(join(directory, '.config', 'weir', 'config.yaml'), contexts.replaceAll('SOCKET', `unix:${admin.socketPath}`), {
      mode: 0o600,
    });
  }
  const terminal = await TestTerminal.start({ columns: 120, rows: 40, directory, insideTmux });
  const server = contexts === undefined ? `--server unix:${admin.socketPath}` : '';
  await terminal.type(`"${process.execPath}" "${WEIR}" top ${server} ${args}; echo "ended $?"`);
  await terminal.waitForText('clusters 2');
  return {
    admin,
    terminal,
    directory,
    [Symbol.asyncDispose]: async () => {
      await terminal[Symbol.asyncDispose]();
      await admin[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Keys that come faster than anybody types are not obeyed: each piece is on the screen before the next one comes. */
async function write(terminal: TestTerminal, text: string, shown: string): Promise<void> {
  await terminal.send(text);
  await terminal.waitForText(shown);
}

async function step(terminal: TestTerminal, key: string, shown: string | RegExp): Promise<string> {
  await terminal.press(key);
  return terminal.waitForText(shown);
}

/** Closes what lies over the screen. A key right behind Escape would be one with Alt. */
async function leave(terminal: TestTerminal): Promise<void> {
  await terminal.press('Escape');
  await terminal.waitFor((screen) => !/Esc (leaves|closes|takes|goes)|leave$/m.test(screen), 'nothing lies over the screen');
}

/** From the plan on the screen to the change. */
async function makeIt(terminal: TestTerminal): Promise<void> {
  await terminal.waitForText('a apply');
  await step(terminal, 'a', 'press y to apply');
  await terminal.press('y');
}

/** Opens the command line and runs a line. */
async function run(terminal: TestTerminal, line: string): Promise<void> {
  await step(terminal, ':', 'a command');
  await write(terminal, line, `: weir ${line}`);
  await terminal.press('Enter');
}

const changes = ({ appliance }: AdminServer): readonly unknown[] =>
  appliance.calls.filter(({ what }) => what === 'change').map(({ input }) => input);

/** What was asked for and would have been made. */
const made = (admin: AdminServer): readonly { readonly change: { readonly kind: string } }[] =>
  changes(admin).filter((input) => (input as { readonly dryRun?: boolean }).dryRun !== true) as never;

describe('weir top acts', () => {
  test('a drain: form, plan with the command, two keys, and the way back', async () => {
    await using session = await start();
    const { admin, terminal } = session;
    await terminal.press('d');
    await terminal.waitForText('drain one');
    await write(terminal, '2h', '2h');
    await step(terminal, 'Enter', '▸ deadline');
    await step(terminal, 'Enter', '▸ over');
    await write(terminal, '10m', 'over      10m');
    await step(terminal, 'Enter', '▸ reason');
    await write(terminal, 'why', 'reason    why');
    await terminal.press('Enter');
    const plan = await terminal.waitForText('a apply');
    match(plan, /weir drain one --for 2h --over 10m --reason why/);
    match(plan, /moves .* requests\/s/);
    equal(made(admin).length, 0);
    await terminal.press('Enter');
    await terminal.press('a');
    await terminal.waitForText('press y to apply');
    await terminal.press('Enter');
    await terminal.waitForText('a apply');
    equal(made(admin).length, 0, 'Enter makes nothing');
    await makeIt(terminal);
    await terminal.waitForText(/applied as revision 2/);
    const [drain] = made(admin);
    deepEqual(drain?.change, { kind: 'admin', cluster: 'one', state: 'drain', forMs: 7_200_000, overMs: 600_000 });
    match(JSON.stringify(drain), /"ifRevision":1,?/);
    await leave(terminal);
    await terminal.press('@');
    await terminal.waitForAll(['acts of this session', 'weir drain one --for 2h', 'revision 2']);
  });

  test('weights are edited with a preview, and asked for as a shift', async () => {
    await using session = await start();
    const { admin, terminal } = session;
    await terminal.press('2');
    await terminal.waitForText('versions');
    await terminal.press('w');
    await terminal.waitForText('weights of the versions of demo');
    await step(terminal, '{', '90.0%');
    await terminal.press('[');
    await terminal.waitForAll(['89.0%', '11.0%', 'PLANNED %']);
    equal(made(admin).length, 0);
    await terminal.press('Enter');
    await terminal.waitForText('weir shift demo blue=89 green=11');
    await makeIt(terminal);
    await terminal.waitForText('applied as revision');
    deepEqual(made(admin)[0]?.change, { kind: 'shift', service: 'demo', percents: { blue: 89, green: 11 } });
  });

  test('what the appliance asks about has to be typed, and what it refuses is shown', async () => {
    await using session = await start();
    const { admin, terminal } = session;
    const question = 'one takes 90 % of all requests now and would take 0 %. Go on?';
    await run(terminal, 'drain one');
    await terminal.waitForText('a apply');
    admin.appliance.refuseWith = { code: 'confirm', message: question, question };
    await makeIt(terminal);
    await terminal.waitForText('type one and press Enter');
    admin.appliance.refuseWith = {
      code: 'unsafe',
      message: 'service lonely would have no place left (rule services.lonely.onUnavailable: fail)',
    };
    await write(terminal, 'no', 'Enter: no');
    const before = changes(admin).length;
    await terminal.press('Enter');
    await step(terminal, 'BSpace', /Enter: n {2}/);
    await step(terminal, 'BSpace', /Enter: {3}/);
    await write(terminal, 'one', 'Enter: one');
    await terminal.press('Enter');
    await terminal.waitForText(/not applied: service lonely would have no place left/);
    equal(changes(admin).length, before + 1);
  });

  test('a command is typed with completion by the names on the screen, and a look prints', async () => {
    await using session = await start();
    const { admin, terminal } = session;
    await step(terminal, ':', 'a command');
    await write(terminal, 'dia', ': weir dia');
    await step(terminal, 'Tab', 'one  two');
    await write(terminal, 't', ': weir dial t');
    await step(terminal, 'Tab', ': weir dial two');
    await write(terminal, '50', ': weir dial two 50');
    await step(terminal, 'Enter', 'a apply');
    await leave(terminal);
    await run(terminal, 'get workers');
    await terminal.waitForAll(['weir get workers', 'worker-1']);
    await leave(terminal);
    await run(terminal, 'serve -c weir.yaml');
    await terminal.waitForText('weir serve is not for the dashboard');
    equal(made(admin).length, 0);
  });

  test('a wait tells what for and is left by Escape; a token is revoked by its name, and nowhere is its secret', async () => {
    await using session = await start();
    const { admin, terminal } = session;
    const secret = admin.appliance.secretFor('operate');
    await run(terminal, 'wait --for revision:9');
    await terminal.waitForText(/waiting: .*\(Esc leaves\)/);
    await leave(terminal);
    await run(terminal, 'token list');
    const list = await terminal.waitForText(/operate-token .*operate/);
    equal(list.includes(secret), false);
    await leave(terminal);
    await run(terminal, 'token revoke operate-token');
    await terminal.waitForAll(['token operate-token is made invalid', 'a apply']);
    await step(terminal, 'a', 'type operate-token and press Enter');
    // A name is typed, never pasted.
    for (let end = 1; end <= 'operate-token'.length; end += 1)
      await write(terminal, 'operate-token'.charAt(end - 1), `press Enter: ${'operate-token'.slice(0, end)} `);
    equal(admin.appliance.tokens().items.length, 1);
    await step(terminal, 'Enter', 'token operate-token is revoked');
    equal(admin.appliance.tokens().items.length, 0);
    await leave(terminal);
    await terminal.press('@');
    equal((await terminal.waitForAll(['acts of this session', 'weir token revoke operate-token'])).includes(secret), false);
    await leave(terminal);
    await run(terminal, 'drill drain one --for 5m');
    await terminal.waitForAll(['drill: one is drained for 5m', 'moves']);
    await makeIt(terminal);
    await terminal.waitForText('not applied: no drill begins here');
    equal(made(admin).length, 0);
  });

  test('a paste never decides', async () => {
    await using session = await start();
    const { admin, terminal } = session;
    await terminal.paste('d\r\r\ra\ry', false);
    await terminal.paste('u', true);
    // What is read in one piece with a paste is taken for a part of it, as it should be: pressed again until it is read alone.
    const planned = async (): Promise<boolean> => {
      await terminal.press('u');
      return terminal.waitForText('weir undo', 1000).then(
        () => true,
        () => false,
      );
    };
    await until(planned, 'a key is a key', 15_000);
    await terminal.paste('ay\ry\r', false);
    await terminal.waitForText('weir undo');
    equal(made(admin).length, 0);
  });

  test('marked rows are drained one plan after the other', async () => {
    await using session = await start();
    const { admin, terminal } = session;
    await terminal.press('Space', 'Space');
    await terminal.waitForText('2 marked');
    await terminal.press('e');
    await terminal.waitForAll(['weir restore one', '1 more after it']);
    await terminal.waitForText('a apply');
    await makeIt(terminal);
    await terminal.waitForText('goes on to the next of 1');
    await terminal.press('Enter');
    await terminal.waitForText('weir restore two');
    await terminal.press('Escape');
    equal(made(admin).length, 1);
  });

  test('read-only by flag and by context: the keys are gone, and the command line refuses', async () => {
    const contexts = 'current: prod\ncontexts:\n  prod: { server: "SOCKET", color: red, readOnly: true }\n';
    for (const options of [{ args: '--read-only' }, { contexts }]) {
      await using session = await start(options);
      const { admin, terminal } = session;
      const screen = await terminal.waitForText('[RO]');
      doesNotMatch(screen, /d:drain/);
      await terminal.press('d', 'u');
      await terminal.press('?');
      const help = await terminal.waitForText('no key changes traffic');
      doesNotMatch(help, /drain a cluster/);
      await leave(terminal);
      await run(terminal, 'undo');
      await terminal.waitForText('read-only');
      equal(made(admin).length, 0);
    }
  });

  test('a context in red, that asks for the name before every change', async () => {
    const contexts = 'current: prod\ncontexts:\n  prod: { server: "SOCKET", color: red, confirm: typed }\n';
    await using session = await start({ contexts });
    const { admin, terminal } = session;
    await terminal.waitForText(' prod ');
    await terminal.press('e');
    await terminal.waitForText('a apply');
    await terminal.press('a');
    await terminal.waitForText('the context prod asks for the name');
    await write(terminal, 'one', 'Enter: one');
    await terminal.press('Enter');
    await terminal.waitForText('applied as revision');
    equal(made(admin).length, 1);
  });

  test('a line is copied into the buffer of the tmux that it runs in, as a shell would read it', async () => {
    await using session = await start({ insideTmux: true });
    const { terminal } = session;
    await run(terminal, "drain one --reason 'why not'");
    await terminal.waitForText('a apply');
    await terminal.press('c');
    await terminal.waitForText('copied, also to the buffer of tmux');
    equal(await terminal.buffer(), "weir drain one --reason 'why not'");
    await leave(terminal);
    await step(terminal, ':', 'a command');
    await write(terminal, 'q', ': weir q');
    await terminal.press('Enter');
    await terminal.waitForText('ended 0');
  });

  test('views are saved and opened again, rows are exported, and the mouse does what is under it', async () => {
    await using session = await start();
    const { terminal, directory } = session;
    await step(terminal, '/', 'Enter keeps');
    await write(terminal, 'two', '/two');
    await step(terminal, 'Enter', 'filter two');
    await terminal.press('C-s');
    await terminal.waitForText('save this view');
    await step(terminal, 'C-u', /name *$/m);
    await write(terminal, 'mine', 'name mine');
    await step(terminal, 'Enter', 'saved as mine');
    await terminal.press('x');
    await terminal.waitForText('written:');
    const exported = readdirSync(directory).find((file) => file.startsWith('weir-overview-')) ?? '';
    match(readFileSync(join(directory, exported), 'utf8'), /"filter": "two"[^]*"name": "two"/);
    await terminal.press('q');
    await terminal.waitForText('ended 0');
    await terminal.type(`"${process.execPath}" "${WEIR}" top --server unix:${session.admin.socketPath} --view mine`);
    await terminal.waitForText('clusters 1 of 2, filter two');
    await terminal.press('Escape');
    await terminal.waitForText('clusters 2,');
    // The second row of the list, then its title RPS, as xterm would send clicks there.
    const rows = (await terminal.screen()).split('\n');
    const row = rows.findIndex((line) => /^ {2}two /.test(line));
    await terminal.send(`\x1b[<0;4;${row + 1}M`);
    await terminal.waitForText('▸ two');
    const head = rows.findIndex((line) => line.includes('RPS ERR%'));
    await terminal.send(`\x1b[<0;${(rows[head] ?? '').indexOf('RPS ERR%') + 2};${head + 1}M`);
    await terminal.waitForText('by rps');
  });
});
