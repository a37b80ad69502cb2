// What helps an operator and who helps them: contexts, doctor, the support archive, manual pages, lists that go on, and how quickly help is there.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type AdminServer, startAdminServer } from '../support/admin-server.ts';
import { WEIR, runWeir } from '../support/command.ts';
import { until } from '../support/until.ts';

describe('support', () => {
  let admin: AdminServer;
  let directory = '';
  before(async () => {
    admin = await startAdminServer();
    directory = mkdtempSync(join(tmpdir(), 'weir-support-'));
  });
  after(async () => {
    await admin[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });
  const weir = (...args: readonly string[]) => runWeir(args, { server: admin.socketPath });
  const elsewhere = (...args: readonly string[]) => runWeir(args, { env: { XDG_CONFIG_HOME: join(directory, 'config'), LANG: 'C.UTF-8' } });

  test('contexts are added, used, changed and removed; the file belongs to one user; a read-only one changes nothing', async () => {
    const where = `unix:${admin.socketPath}`;
    assert.equal((await elsewhere('context', 'add', 'lab', '--at', where, '--use')).code, 0);
    assert.equal((await elsewhere('context', 'add', 'prod', '--at', where, '--read-only', '--color', 'red', '--confirm', 'typed')).code, 0);
    assert.equal(statSync(join(directory, 'config/weir/config.yaml')).mode & 0o777, 0o600);
    assert.match((await elsewhere('status')).stdout, /edge-1/);
    assert.equal((await elsewhere('shift', 'demo', 'green=10', '--yes')).code, 0);

    assert.equal((await elsewhere('context', 'use', 'prod')).code, 0);
    assert.deepEqual((await elsewhere('context', 'list', '-o', 'name')).stdout, 'lab\nprod\n');
    const refused = await elsewhere('shift', 'demo', 'green=20', '--yes');
    assert.equal(refused.code, 4);
    assert.match(refused.stderr, /the context prod is read-only[^]*weir context add prod --writable/);
    assert.equal((await elsewhere('shift', 'demo', 'green=20', '--dry-run')).code, 10, 'a preview is no change');
    assert.equal((await elsewhere('--context', 'lab', 'shift', 'demo', 'green=20', '--yes')).code, 0);
    assert.equal((await elsewhere('context', 'add', 'prod', '--writable')).code, 0);
    assert.equal((await elsewhere('shift', 'demo', 'green=30', '--yes')).code, 0);

    const unknown = await elsewhere('--context', 'nosuch', 'status');
    assert.equal(unknown.code, 5);
    assert.match(unknown.stderr, /no context named "nosuch"; there are lab, prod/);
    assert.equal((await elsewhere('context', 'remove', 'prod')).code, 0);
    assert.equal((await elsewhere('--server', where, '--context', 'lab', 'status')).code, 2);
  });

  test('doctor finds nothing wrong, then what is, and always says what to do', async () => {
    const well = JSON.parse((await weir('doctor', '-o', 'json')).stdout) as { items: { check: string; state: string; fix: string }[] };
    assert.deepEqual(
      well.items.filter(({ state }) => state === 'problem'),
      [],
    );
    assert.ok(well.items.some(({ check }) => check === 'audit'));
    admin.appliance.degraded = ['cluster one is down'];
    const ill = await weir('doctor');
    admin.appliance.degraded = [];
    assert.equal(ill.code, 1);
    assert.match(ill.stdout, /problem +cluster one is down +docs\/runbook.md#cluster-down/);
    const nobody = await runWeir(['doctor'], { server: join(directory, 'nobody.sock') });
    assert.equal(nobody.code, 1);
    assert.match(nobody.stdout, /appliance +problem +cannot reach weir/);
  });

  test('the support archive is a tar of what is of use, and no secret is in it', async () => {
    const secret = 'hunter2hunter2';
    await admin.appliance.applyConfig(`version: 1\nredis: "redis://u:${secret}@cache"\n`, false, {
      author: { name: 'weir', how: 'config file' },
      role: 'admin',
    });
    const reason = `moved with Bearer ${secret}`;
    assert.equal((await weir('shift', 'demo', 'green=40', '--reason', reason, '--yes')).code, 0);
    const file = join(directory, 'bundle.tar.gz');
    const made = await weir('debug', 'bundle', '--file', file);
    assert.equal(made.code, 0, made.stderr);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const unpacked = mkdtempSync(join(directory, 'unpacked-'));
    execFileSync('tar', ['xzf', file, '-C', unpacked]);
    const names = readdirSync(unpacked);
    for (const name of ['machine.json', 'doctor.json', 'status.json', 'workers.json', 'events.json', 'revisions.json', 'weir.yaml'])
      assert.ok(names.includes(name), name);
    const all = names.map((name) => readFileSync(join(unpacked, name), 'utf8')).join('');
    assert.doesNotMatch(all, new RegExp(secret));
    assert.match(all, /moved with Bearer \[redacted\]/);
    assert.equal((await weir('debug', 'bundle', '--file', file)).code, 1, 'nothing is written over');
  });

  test('every command has a manual page that a formatter takes', async () => {
    const pages = join(directory, 'man');
    assert.equal((await weir('man', '--all', pages)).code, 0);
    const names = readdirSync(pages);
    for (const name of ['weir.1', 'weir-shift.1', 'weir-canary-start.1', 'weir-debug-bundle.1']) assert.ok(names.includes(name), name);
    for (const name of names) {
      const text = readFileSync(join(pages, name), 'utf8');
      assert.match(text, /^\.TH WEIR[^]*\.SH NAME\n[^]*\.SH SYNOPSIS\n[^]*\.SH EXAMPLES\n/, name);
      // A line that begins with a dot and is no request of man(7) would vanish.
      const requests = text.split('\n').filter((line) => /^['.]/.test(line) && !/^\.(TH|SH|TP|B|BR|I|nf|fi|br)\b/.test(line));
      assert.deepEqual(requests, [], name);
    }
    assert.match((await weir('man', 'drain')).stdout, /\.B \\-\\-for <DURATION>/);
    assert.equal((await weir('man', 'nosuch')).code, 5);
  });

  test('a list goes on with what changes, as rows and as JSON', async () => {
    for (const [args, wanted] of [
      [['get', 'clusters', '-w'], /^one +drain/m],
      [['get', 'clusters', '-w', '-o', 'json'], /"admin":"drain"[^\n]*\n$/],
    ] as const) {
      const env = { PATH: process.env['PATH'], WEIR_SERVER: `unix:${admin.socketPath}` };
      const child = spawn(process.execPath, [WEIR, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      await until(() => /one/.test(text), 'the list is printed');
      await weir('drain', 'one', '--yes');
      await until(() => wanted.test(text), String(wanted));
      child.kill('SIGINT');
      await weir('restore', 'one', '--yes');
    }
  });

  test('formats for programs: names, and an item a line', async () => {
    assert.equal((await weir('get', 'clusters', '-o', 'name')).stdout, 'one\ntwo\n');
    const lines = (await weir('get', 'workers', '-o', 'jsonl')).stdout.trimEnd().split('\n');
    assert.equal(lines.length, 4);
    for (const line of lines) assert.equal(typeof (JSON.parse(line) as { name: string }).name, 'string');
  });

  test('a misspelt command is answered with the one that was meant', async () => {
    writeFileSync(join(directory, 'empty'), '');
    const { code, stderr } = await weir('stauts');
    assert.equal(code, 2);
    assert.match(stderr, /Did you mean status\?/);
  });
});
