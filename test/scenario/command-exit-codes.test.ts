// The published exit codes, by the real command against a real admin API: data on stdout, messages on stderr, the right number.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type AdminServer, startAdminServer } from '../support/admin-server.ts';
import { runWeir } from '../support/command.ts';

describe('exit codes', () => {
  let admin: AdminServer;
  before(async () => {
    admin = await startAdminServer();
  });
  after(() => admin[Symbol.asyncDispose]());
  beforeEach(() => {
    admin.appliance.refuseWith = null;
    admin.appliance.laggards = [];
    admin.appliance.degraded = [];
  });
  const weir = (...args: readonly string[]) => runWeir(args, { server: admin.socketPath });

  test('0: a status is shown, degraded or not; with --check a degraded one is 1', async () => {
    admin.appliance.degraded = ['cluster one is down'];
    const shown = await weir('status');
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(shown.stdout, /degraded: cluster one is down/);
    assert.equal((await weir('status', '--check')).code, 1);
    admin.appliance.degraded = [];
    assert.equal((await weir('status', '--check')).code, 0);
  });

  test('2: usage, with a suggestion where one is near, and nothing on stdout', async () => {
    const cases: readonly (readonly [args: readonly string[], expected: RegExp])[] = [
      [['shfit', 'demo'], /unknown command 'shfit'\n\(Did you mean shift\?\)/],
      [['shift', 'demo', 'green=1', '--dry-rum'], /unknown option '--dry-rum'\n\(Did you mean --dry-run\?\)/],
      [['shift', 'demo', 'green'], /expected VERSION=PERCENT, such as green=10, got "green"/],
      [['get', 'cluster'], /Allowed choices are clusters, services/],
      [['serve'], /a config file is needed: weir serve weir\.yaml/],
      [['serve', 'a.yaml', '-c', 'b.yaml'], /one config file is served, and two are given: a\.yaml, b\.yaml/],
      [['--server', '/run/admin.sock', 'status'], /did you mean unix:\/run\/admin\.sock\?/],
    ];
    for (const [args, expected] of cases) {
      const result = await weir(...args);
      assert.equal(result.code, 2, `${args.join(' ')}: ${result.stderr}`);
      assert.match(result.stderr, expected);
      assert.equal(result.stdout, '');
    }
    assert.equal(admin.appliance.calls.length, 0, 'none of it reached the appliance');
  });

  test('3: nothing there, and the message says where it looked, from what, and how to point elsewhere', async () => {
    const missing = join(admin.directory, 'missing.sock');
    const result = await runWeir(['status'], { server: missing });
    assert.equal(result.code, 3);
    assert.match(result.stderr, new RegExp(`cannot reach weir at unix:${missing} \\(from WEIR_SERVER\\): there is no such socket`));
    assert.match(result.stderr, /--server unix:PATH, --server https:\/\/HOST:PORT, or WEIR_SERVER/);
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const address = closed.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    closed.close();
    await once(closed, 'close');
    const refused = await runWeir(['--server', `http://127.0.0.1:${port}`, 'status']);
    assert.equal(refused.code, 3);
    assert.match(refused.stderr, /from --server\): nothing listens there/);
  });

  test('3: something there that is no weir', async (t) => {
    const other = createServer((socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello')).listen(0, '127.0.0.1');
    await once(other, 'listening');
    t.after(() => other.close());
    const address = other.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const result = await runWeir(['status'], { server: `http://127.0.0.1:${port}` });
    assert.equal(result.code, 3, result.stderr);
    assert.match(result.stderr, /does not speak the admin API of weir/);
  });

  test('4: no token, or one that may not', async () => {
    const none = await runWeir(['status'], { server: admin.url });
    assert.equal(none.code, 4, none.stderr);
    assert.match(none.stderr, /a token is needed here/);
    const env = { WEIR_TOKEN: admin.appliance.secretFor('read') };
    assert.equal((await runWeir(['status'], { server: admin.url, env })).code, 0);
    const refused = await runWeir(['shift', 'demo', 'green=1'], { server: admin.url, env });
    assert.equal(refused.code, 4);
    assert.match(refused.stderr, /has role read; POST \/v1\/changes needs role operate/);
  });

  test('5: a name that does not exist, with those that do', async () => {
    const service = await weir('shift', 'shop', 'green=1');
    assert.deepEqual([service.code, service.stderr], [5, 'weir: no service named "shop"; there are demo, lonely\n']);
    assert.equal((await weir('get', 'clusters', 'three')).code, 5);
    assert.equal((await weir('describe', 'revision', '99')).code, 5);
  });

  test('6: the revision moved', async () => {
    const result = await weir('shift', 'demo', 'green=1', '--if-revision', '77');
    assert.equal(result.code, 6);
    assert.match(result.stderr, /the intent is at revision \d+, not 77/);
  });

  test('7: refused by a safety rule, and a dangerous act without --yes where nobody can be asked', async () => {
    admin.appliance.refuseWith = { code: 'unsafe', message: 'shift would leave nothing up' };
    const unsafe = await weir('shift', 'demo', 'green=100', '--yes');
    assert.deepEqual([unsafe.code, unsafe.stderr], [7, 'weir: shift would leave nothing up\n']);
    admin.appliance.refuseWith = null;
    const asked = await weir('maintenance', 'one');
    assert.equal(asked.code, 7);
    assert.match(asked.stderr, /maintenance ends 40 % of the traffic at once\nThere is no terminal to ask on: add --yes/);
    assert.equal((await weir('maintenance', 'one', '--yes')).code, 0);
    assert.equal((await weir('restore', 'one')).code, 0);
  });

  test('8: made, but not applied everywhere in time; who lags is named', async () => {
    admin.appliance.laggards = ['worker-2'];
    const result = await weir('shift', 'demo', 'green=33');
    assert.equal(result.code, 8);
    assert.match(result.stdout, /applied on 3\/4 workers in 123 ms/);
    assert.match(result.stderr, /not applied yet by worker-2/);
  });

  test('10: a dry run that would change something, 0 one that would not', async () => {
    await weir('shift', 'demo', 'green=20');
    const revision = admin.appliance.revision;
    assert.equal((await weir('shift', 'demo', 'green=60', '--dry-run')).code, 10);
    assert.equal((await weir('shift', 'demo', 'green=20', '--dry-run')).code, 0);
    assert.equal(admin.appliance.revision, revision);
  });

  test('11: kept until a second person approves, with what to do', async () => {
    const message = 'nothing is changed yet: it waits as 3; somebody else says: weir approve 3';
    admin.appliance.refuseWith = { code: 'approval', message, approval: '3' };
    const waits = await weir('shift', 'demo', 'green=100');
    assert.deepEqual([waits.code, waits.stdout, waits.stderr], [11, '', `weir: ${message}\n`]);
    const unknown = await weir('approve', '4');
    assert.deepEqual([unknown.code, unknown.stderr], [5, 'weir: nothing waits as 4\n']);
  });

  test('130: interrupted', async () => {
    const result = await runWeir(['wait', '--for', 'share:demo/green>=99', '--timeout', '1m', '-o', 'table'], {
      server: admin.socketPath,
      env: { NODE_OPTIONS: `--import ${announcing(admin.directory)}` },
      onOutput: (pid) => void process.kill(pid, 'SIGINT'),
    });
    assert.equal(result.code, 130, result.stderr);
    assert.match(result.stderr, /interrupted: no longer waiting for share:demo\/green>=99; nothing was changed by waiting/);
  });
});

describe('exit codes without an appliance', () => {
  test('help and version are 0, no command at all is usage', async () => {
    assert.equal((await runWeir(['--help'])).code, 0);
    assert.equal((await runWeir(['shift', '--help'])).code, 0);
    assert.match((await runWeir(['--version'])).stdout, /^\d+\.\d+\.\d+/);
    const none = await runWeir([]);
    assert.equal(none.code, 2);
    assert.match(none.stderr, /^Examples:/);
  });

  test('a context file tells the server and the token, and problems in it name the file', async (t) => {
    await using admin = await startAdminServer();
    const home = mkdtempSync(join(tmpdir(), 'weir-home-'));
    t.after(() => rmSync(home, { recursive: true, force: true }));
    mkdirSync(join(home, 'weir'));
    const file = join(home, 'weir/config.yaml');
    writeFileSync(join(home, 'weir/token'), `${admin.appliance.secretFor('read')}\n`);
    chmodSync(join(home, 'weir/token'), 0o600);
    writeFileSync(file, `server: ${admin.url}\ntokenFile: token\n`);
    const env = { XDG_CONFIG_HOME: home };
    const good = await runWeir(['status'], { env });
    assert.equal(good.code, 0, good.stderr);
    writeFileSync(file, 'sever: x\n');
    const bad = await runWeir(['status'], { env });
    assert.deepEqual(
      [bad.code, bad.stderr],
      [2, `weir: ${file}: unknown key "sever", expected server, tokenFile, ca, color, readOnly, confirm\n`],
    );
  });

  test('a token is never sent in clear to another machine', async () => {
    const result = await runWeir(['status'], { server: 'http://edge-1.example:7070', env: { WEIR_TOKEN: 'weir_x_y' } });
    assert.equal(result.code, 2);
    assert.match(result.stderr, /would carry the token in clear/);
  });
});

/** A module that makes the command say on stderr that its first request is out, so that it is interrupted in the middle of its work. */
function announcing(directory: string): string {
  const file = join(directory, 'announce.mjs');
  const text = `import { subscribe } from 'node:diagnostics_channel';\nsubscribe('undici:request:headers', () => process.stderr.write('first answer\\n'));\n`;
  writeFileSync(file, text);
  return file;
}
