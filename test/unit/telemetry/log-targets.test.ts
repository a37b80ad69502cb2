// Where lines of the access log go: files that rotate and are moved away, a pipe that nobody reads, and syslog over both transports.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { LogFile } from '../../../balancer/telemetry/log-file.ts';
import { Syslog } from '../../../balancer/telemetry/log-syslog.ts';
import { until } from '../../support/until.ts';

function fileIn(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'weir-targets-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'access.log');
}

const PLACE = { facility: 16, tag: 'weir', hostName: 'edge-1' };

test('a file that was moved away is begun anew, and no line is lost', async (t) => {
  const path = fileIn(t);
  const log = new LogFile({ path, maxBytes: 0, keep: 0 });
  log.write('one\n', 1);
  await until(() => existsSync(path) && readFileSync(path, 'utf8') === 'one\n', 'the first line');
  renameSync(path, `${path}.old`);
  let written = 0;
  await until(() => {
    written += 1;
    log.write(`line ${written}\n`, 1);
    return existsSync(path);
  }, 'a new file');
  assert.equal(await log.close(), 0);
  const lines = `${readFileSync(`${path}.old`, 'utf8')}${readFileSync(path, 'utf8')}`.trimEnd().split('\n');
  assert.deepEqual(lines, ['one', ...Array.from({ length: written }, (_, index) => `line ${index + 1}`)]);
});

test('of two writers of a file that is full one moves it away, both go on in the new one, and so many old ones stay', async (t) => {
  const path = fileIn(t);
  const logs = [1, 2].map(() => new LogFile({ path, maxBytes: 20_000, keep: 2 }));
  let written = 0;
  await until(
    () => {
      for (const log of logs) log.write(`${String((written += 1)).padStart(9, '0')}\n`.repeat(100), 100);
      return existsSync(`${path}.2`) && existsSync(path);
    },
    'two rotations',
    15_000,
  );
  await Promise.all(logs.map((log) => log.close()));
  const files = readdirSync(join(path, '..')).sort();
  assert.deepEqual(files, ['access.log', 'access.log.1', 'access.log.2']);
  for (const file of files)
    assert.ok(
      readFileSync(join(path, '..', file), 'utf8')
        .split('\n')
        .slice(0, -1)
        .every((line) => /^\d{9}$/.test(line)),
      'lines are whole',
    );
});

test('a pipe that nobody reads holds up lines and nobody else', async (t) => {
  const script = `
    import { LogFile } from ${JSON.stringify(join(import.meta.dirname, '../../../balancer/telemetry/log-file.ts'))};
    const log = new LogFile({ path: null, maxBytes: 0, keep: 0 });
    let refused = 0;
    for (let count = 0; count < 200; count += 1) if (!log.write('x'.repeat(65535) + '\\n', 1)) refused += 1;
    let turns = 0;
    const beat = setInterval(() => {
      turns += 1;
      if (turns === 20) { process.stderr.write('alive ' + refused + '\\n'); clearInterval(beat); process.exit(0); }
    }, 10);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  const [said] = (await once(child.stderr, 'data')) as [Buffer];
  assert.match(said.toString(), /^alive \d+/);
  assert.ok(Number(/\d+/.exec(said.toString())?.[0]) > 0, 'what is too much is refused');
});

test('lines come to syslog over UDP as messages of RFC 5424', async (t) => {
  const server = createSocket('udp4');
  t.after(() => server.close());
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  const log = new Syslog({ ...PLACE, transport: 'udp', host: '127.0.0.1', port: server.address().port });
  t.after(() => log.close());
  log.write('{"a":1}\n');
  const [message] = (await once(server, 'message')) as [Buffer];
  assert.match(message.toString(), /^<134>1 \d{4}-\d\d-\d\dT[\d:.]+Z edge-1 weir \d+ access - \{"a":1\}$/);
});

test('lines come to syslog over TCP with their lengths, and while it is away they are refused', async (t) => {
  let received = '';
  const server = createServer((socket) => socket.on('data', (chunk) => (received += chunk.toString())));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const log = new Syslog({ ...PLACE, transport: 'tcp', host: '127.0.0.1', port });
  log.write('first\nsecond\n');
  await until(() => received.includes('second'), 'both lines');
  const frames = [...received.matchAll(/(\d+) (<134>1 .*?)(?=\d+ <134>|$)/gs)].map(([, length, text = '']) => [
    Number(length),
    text.length,
  ]);
  assert.equal(frames.length, 2);
  for (const [length, actual] of frames) assert.equal(length, actual);
  server.close();
  await log.close();
  const gone = new Syslog({ ...PLACE, transport: 'tcp', host: '127.0.0.1', port });
  t.after(() => gone.close());
  await until(() => !gone.write('lost\n'), 'a line that is refused');
});
