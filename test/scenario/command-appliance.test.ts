// The command against the whole appliance: serve, look, shift, take back, drain, verify, end; every process is a real one.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WEIR, runWeir } from '../support/command.ts';
import { named, startOrigin } from '../support/origin.ts';

test('an appliance and its command', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-cli-'));
  const socket = join(directory, 'state/admin.sock');
  const [one, two] = [await startOrigin(t, named('one')), await startOrigin(t, named('two'))];
  const file = join(directory, 'weir.yaml');
  writeFileSync(file, config(directory, one.endpoint, two.endpoint));
  const appliance = spawn(process.execPath, [WEIR, 'serve', '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  appliance.stderr.setEncoding('utf8').on('data', (chunk: string) => (log += chunk));
  t.after(async () => {
    if (appliance.exitCode === null && appliance.signalCode === null) {
      appliance.kill('SIGTERM');
      await once(appliance, 'exit');
    }
    rmSync(directory, { recursive: true, force: true });
  });
  const weir = (...args: readonly string[]) => runWeir(args, { server: socket });
  const changed = async (...args: readonly string[]) => {
    const result = await weir(...args);
    assert.equal(result.code, 0, `${args.join(' ')}: ${result.stderr}`);
    return result.stdout;
  };
  const ready = await weir('wait', '--for', 'stable', '--timeout', '30s');
  assert.equal(ready.code, 0, `${ready.stderr}\n${log}`);

  await t.test('the admin socket is private', () => {
    assert.equal(statSync(socket).mode & 0o777, 0o600);
  });

  await t.test('a dry run tells, a shift does, within a second, and undo takes it back', async () => {
    const dry = await weir('shift', 'demo', 'green=50', '--dry-run');
    assert.equal(dry.code, 10, dry.stderr);
    assert.match(dry.stdout, /demo +green +two +0% → \S+ +0% → \S+ +intent\n/);
    assert.match((await weir('get', 'services')).stdout, /blue=100% green=0%/);
    const shift = await changed('shift', 'demo', 'green=50', '--reason', 'half of it');
    const applied = /applied on 2\/2 workers in (\d+) ms/.exec(shift);
    assert.ok(Number(applied?.[1]) <= 1000, shift);
    await changed('wait', '--for', 'share:demo/green=50', '--timeout', '5s');
    assert.match((await weir('history')).stdout, /shift demo green=50 +half of it\n/);
    assert.match(
      await changed('describe', 'revision', '2'),
      /services\.demo\.split +\{"blue":1000000,"green":0\} +\{"blue":500000,"green":500000\}\n/,
    );
    const [shifted] = (await changed('audit', 'export')).split('\n').filter((line) => line.includes('"reason":"half of it"'));
    assert.match(shifted ?? '', /"inputs":\{"services":\{"demo":\{"rps":\d.*"shares":\{"blue\/one":.*"clusters":\{"one":\{"state":"up"/);
    assert.match(await changed('describe', 'revision', '2'), /clusters then:\n +CLUSTER +STATE +RPS +CAPACITY\n +one +up /);
    await changed('undo');
    assert.match((await weir('get', 'services')).stdout, /blue=100% green=0%/);
    assert.match((await weir('audit', 'verify')).stdout, /^the audit chain is intact: \d+ records\n$/);
  });

  await t.test('bad wishes are refused with their code, and nothing changes', async () => {
    const revision = async () => /"revision": (\d+)/.exec((await weir('status', '-o', 'json')).stdout)?.[1];
    const before = await revision();
    const codes = async (...args: readonly string[]) => (await weir(...args)).code;
    assert.equal(await codes('shift', 'shop', 'green=1'), 5);
    assert.equal(await codes('shift', 'demo', 'red=1'), 5);
    assert.equal(await codes('shift', 'demo', 'blue=0', 'green=0'), 2);
    assert.equal(await codes('shift', 'demo', 'blue=60', 'green=60'), 2);
    assert.equal(await codes('shift', 'demo', 'green=1', '--if-revision', '999'), 6);
    assert.equal(await codes('drain', 'three'), 5);
    assert.equal(await revision(), before);
  });

  await t.test('a cluster is drained, dialled and restored', async () => {
    await changed('drain', 'two', '--yes', '--wait', '--timeout', '30s');
    assert.match((await weir('get', 'clusters', 'two')).stdout, /two +drain /);
    await changed('restore', 'two', '--wait', '--timeout', '30s');
    await changed('dial', 'two', '50', '--yes');
    assert.match((await weir('get', 'clusters', 'two')).stdout, /two +active .* 50% /);
    await changed('dial', 'two', '100');
  });

  await t.test('SIGTERM ends it in good order', async () => {
    const exited = once(appliance, 'exit');
    appliance.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null], log);
    assert.equal(statSync(socket, { throwIfNoEntry: false }), undefined);
    assert.equal((await weir('status')).code, 3);
  });
});

function config(directory: string, one: string, two: string): string {
  return `version: 1
state: { dir: ${JSON.stringify(join(directory, 'state'))} }
workers: 2
listeners: { web: { bind: "127.0.0.1:0" } }
clusters:
  one: { endpoints: [${JSON.stringify(one)}], health: { http: { path: /healthz }, interval: 200ms }, failback: { mode: auto } }
  two: { endpoints: [${JSON.stringify(two)}], health: { http: { path: /healthz }, interval: 200ms }, failback: { mode: auto } }
services:
  demo:
    versions:
      blue: { clusters: { one: {}, two: {} } }
      green: { clusters: { one: {}, two: {} } }
routes:
  - { name: all, match: { path: / }, service: demo }
`;
}
