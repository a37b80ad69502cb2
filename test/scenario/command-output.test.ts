// What the command prints: tables word for word, one JSON shape for all, nothing but data on stdout.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type AdminServer, startAdminServer } from '../support/admin-server.ts';
import { WEIR, runWeir } from '../support/command.ts';
import { until } from '../support/until.ts';

describe('what the command prints', () => {
  let admin: AdminServer;
  before(async () => {
    admin = await startAdminServer();
  });
  after(() => admin[Symbol.asyncDispose]());
  const weir = (...args: readonly string[]) => runWeir(args, { server: admin.socketPath });

  test('a dry run, the shift, its history and its undo', async () => {
    const dry = await weir('shift', 'demo', 'green=50', '--dry-run');
    const table = [
      'SERVICE  VERSION  CLUSTER    DESIRED  EFFECTIVE  WHY',
      'demo     blue     one      50% → 25%  50% → 25%  intent',
      'demo     blue     two      50% → 25%  50% → 25%  intent',
      'demo     green    one       0% → 25%   0% → 25%  intent',
      'demo     green    two       0% → 25%   0% → 25%  intent',
    ];
    const forecast = [
      '',
      'CLUSTER        RPS    UTILISATION',
      'one      800 → 400  40.0% → 20.0%',
      'demo: 10.0% of its requests go to another version, 50.0% to another place',
      'one cluster could be lost then: yes: the others can take what any one cluster has now',
      'without one its 400 requests/s go to: two +390, 10 refused',
      'the agent of two would be told to expect 400 requests/s of demo, 0 now',
      '',
    ];
    assert.equal(dry.stdout, [...table, ...forecast, 'dry run: shift done; nothing was changed, still revision 1', ''].join('\n'));
    assert.equal(dry.stderr, '');
    const real = await weir('shift', 'demo', 'green=50', '--reason', 'new checkout');
    assert.equal(real.stdout, [...table, 'shift done', 'revision 2: applied on 4/4 workers in 123 ms', 'undo: weir undo', ''].join('\n'));
    assert.equal(real.code, 0);
    const again = await weir('shift', 'demo', 'green=50');
    assert.equal(again.stdout, 'nothing to change: shift done; still revision 2\n');
    const history = await weir('history');
    assert.match(history.stdout, /^REVISION {2}TIME +AUTHOR +CHANGE +REASON\n +2 .* shift demo green=50 +new checkout\n/);
    const undo = await weir('undo', '--to', '1', '--dry-run');
    assert.equal(undo.code, 10);
    assert.deepEqual(admin.appliance.calls.at(-1)?.input, { change: { kind: 'undo', to: 1 }, dryRun: true });
  });

  test('the past, as a table and as comma-separated values', async () => {
    const table = await weir('history', 'metrics', 'service/demo', '--since', '1h');
    assert.match(table.stdout, /^TIME +SERIES +RPS +ERRORS +P50 +P95 +P99 +HEALTH\n.* service\/demo .*25\.0%.*\n/);
    const { stdout } = await weir('history', 'metrics', 'service/demo', '--csv');
    assert.deepEqual(stdout.split('\n'), [
      'at,series,rps,errorRatio,p50Ms,p95Ms,p99Ms,desiredShare,effectiveShare,health',
      '2027-01-15T08:00:00.000Z,service/demo,4,0.25,10,20,30,,,',
      '2027-01-15T08:00:01.000Z,service/demo,0,,,,,,,',
      '',
    ]);
    const two = await weir('history', 'metrics', '--csv', '-o', 'json');
    assert.deepEqual([two.code, /choose one/.test(two.stderr)], [2, true]);
  });

  test('every kind of list is the same JSON shape', async () => {
    for (const kind of ['workers', 'revisions']) {
      const { stdout, code } = await weir('get', kind, '-o', 'json');
      const value: unknown = JSON.parse(stdout);
      assert.equal(code, 0);
      assert.ok(typeof value === 'object' && value !== null);
      assert.deepEqual(Object.keys(value), ['kind', 'revision', 'items'], kind);
      assert.ok('kind' in value && value.kind === kind);
    }
    const status: unknown = JSON.parse((await weir('-o', 'json', 'status')).stdout);
    assert.ok(typeof status === 'object' && status !== null);
    assert.deepEqual(Object.keys(status), ['kind', 'revision', 'items']);
  });

  test('wide adds columns, yaml says the same as json', async () => {
    const narrow = (await weir('get', 'clusters')).stdout.split('\n')[0] ?? '';
    const wide = (await weir('get', 'clusters', '-o', 'wide')).stdout.split('\n')[0] ?? '';
    assert.match(narrow, /^CLUSTER +ADMIN +HEALTH +AGENT +DIAL +DESIRED +EFFECTIVE +OBSERVED +RUNNING +TUNNELS +RPS +ERRORS +P99$/);
    assert.match(wide, /^CLUSTER +REGION +ADMIN .* CAPACITY +USED +ENDPOINTS$/);
    assert.match((await weir('get', 'agents', 'one', '-o', 'yaml')).stdout, /^kind: agents\nrevision: \d+\nitems:\n {2}- cluster: one\n/);
  });

  test('names from elsewhere cannot steer the terminal', async () => {
    admin.appliance.emit('evil \u001b[2J\u0007 text\nsecond line');
    const { stdout } = await weir('events', '--limit', '1');
    assert.match(stdout, /health +evil {2}\[2J {2}text second line\n$/);
  });

  test('describe service holds its versions side by side', async () => {
    const { stdout } = await weir('describe', 'service', 'demo', '--window', '15m');
    assert.match(stdout, /results of the last 15m, differences to blue with their 95 % intervals:/);
    assert.match(stdout, /green +50% +1000 +10 +1% +\+0\.9% \[0\.1%, 2%\] +4ms +0ms \[-2\.5ms, 2\.5ms\] +20ms +\+3ms \[0\.5ms, \?\]/);
    const other = JSON.parse((await weir('describe', 'service', 'demo', '--baseline', 'green', '-o', 'json')).stdout) as {
      readonly items: readonly { readonly results: { readonly baseline: string } }[];
    };
    assert.equal(other.items[0]?.results.baseline, 'green');
    assert.equal((await weir('describe', 'cluster', 'one', '--window', '15m')).code, 2);
  });

  test('describe lays out what is nested', async () => {
    const { stdout } = await weir('describe', 'cluster', 'one');
    assert.match(stdout, /^name: +one\n/);
    assert.match(stdout, /endpoints:\n {2}ID +HEALTH +REASON\n {2}127\.0\.0\.1:9001 +up +-\n/);
  });

  test('the secret of a token is the only thing on stdout, and it works', async () => {
    const made = await weir('token', 'create', 'ci', '--role', 'operate', '--expires', '90d');
    assert.match(made.stdout, /^weir_ci_[\w-]{43}\n$/);
    assert.match(made.stderr, /role operate, valid until 2027-02-19T/);
    const file = join(admin.directory, 'ci.token');
    writeFileSync(file, made.stdout);
    const used = await runWeir(['shift', 'demo', 'green=5'], { server: admin.url, env: { WEIR_TOKEN_FILE: file } });
    assert.equal(used.code, 0, used.stderr);
    assert.equal(admin.appliance.calls.at(-1)?.caller.author.how, 'token ci');
    assert.equal((await weir('token', 'revoke', 'ci')).code, 0);
    assert.equal((await runWeir(['status'], { server: admin.url, env: { WEIR_TOKEN_FILE: file } })).code, 4);
    const agent = await weir('agent', 'token', 'two');
    assert.match(agent.stdout, /^weir_agent-two_/);
    assert.match((await weir('token', 'list')).stdout, /agent-two +- +agent +two/);
  });

  test('a config is applied, refused with its problems, and printed', async () => {
    const file = join(admin.directory, 'weir.yaml');
    writeFileSync(file, 'version: 1\nservices: {}\n');
    const dry = await weir('config', 'apply', file, '--dry-run');
    assert.deepEqual([dry.code, dry.stdout], [10, 'services.shop: added\ndry run: nothing was changed, still generation 1\n']);
    assert.equal((await weir('config', 'apply', file)).code, 0);
    assert.equal((await weir('config', 'print')).stdout, 'version: 1\nservices: {}\n');
    const bad = await runWeir(['config', 'apply', '-'], { server: admin.socketPath, stdin: 'bad: 1\n' });
    assert.equal(bad.code, 2);
    assert.match(bad.stderr, /weir\.yaml:2:1: unknown key "bad", did you mean "bind"\?/);
  });

  test('the audit is verified, and a broken chain fails', async () => {
    assert.match((await weir('audit', 'verify')).stdout, /^the audit chain is intact: \d+ records\n$/);
    admin.appliance.brokenAudit = 2;
    const broken = await weir('audit', 'verify');
    assert.equal(broken.code, 1);
    assert.match(broken.stdout, /broken at revision 2/);
    admin.appliance.brokenAudit = null;
  });

  test('events follow as they happen, a line each', async () => {
    const child = spawn(process.execPath, [WEIR, 'events', '-f', '--limit', '0', '-o', 'json'], {
      env: { PATH: process.env['PATH'], WEIR_SERVER: `unix:${admin.socketPath}` },
    });
    const { subscribers } = admin.appliance;
    await until(() => admin.appliance.subscribers > subscribers, 'the command follows');
    const line = once(child.stdout.setEncoding('utf8'), 'data');
    admin.appliance.emit('cluster two is down');
    const event: unknown = JSON.parse(String((await line)[0]));
    assert.ok(typeof event === 'object' && event !== null && 'text' in event && event.text === 'cluster two is down');
    child.kill('SIGINT');
    assert.deepEqual(await once(child, 'exit'), [130, null]);
  });

  test('a reader that leaves the pipe ends the command without a word', async () => {
    const command = `"${process.execPath}" "${WEIR}" events -f --limit 50 | head -1`;
    for (let event = 0; event < 30; event += 1) admin.appliance.emit(`event ${event}`);
    const child = spawn('bash', ['-c', `set -o pipefail; ${command}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], WEIR_SERVER: `unix:${admin.socketPath}` },
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    const again = setInterval(() => admin.appliance.emit('more'), 50);
    const closed: readonly unknown[] = await once(child, 'close');
    clearInterval(again);
    assert.deepEqual([closed[0], stderr], [0, '']);
  });
});
