// The image of the agent: what its file copies is enough to run an agent, as the file starts it, and it runs as nobody. No image is built here; the
// same files are put together in a directory.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { objectsOf } from '../../../../agent/deploy/manifest.ts';
import { freePort } from '../../../support/free-port.ts';
import { HubBench } from '../../../support/hub-bench.ts';
import { until } from '../../../support/until.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..', '..');
const LINES = readFileSync(join(ROOT, 'agent/deploy/Containerfile'), 'utf8').split('\n');

/** What a line of the last stage says. */
function said(word: string): readonly string[] {
  const last = LINES.slice(LINES.findLastIndex((line) => line.startsWith('FROM ')));
  return last.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
}

test('what is copied runs an agent, and nothing else of the checkout is needed', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-image-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  for (const copied of said('COPY').filter((line) => !line.startsWith('--from='))) {
    const [to = '', ...sources] = copied.split(' ').toReversed();
    for (const source of sources)
      cpSync(join(ROOT, source), join(directory, sources.length > 1 || to === './' ? basename(source) : to), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  const tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, 'weir_eu\n');
  await using bench = await HubBench.start();
  const [entry = ''] = said('ENTRYPOINT');
  const [, program = ''] = JSON.parse(entry) as readonly string[];
  assert.equal(program, '/opt/weir/tui/weir.js');
  const words = ['agent', 'run', '--cluster', 'eu', '--hub', `ws://127.0.0.1:${bench.port}`, '--token-file', tokenFile];
  const health = `127.0.0.1:${await freePort()}`;
  const child = spawn(process.execPath, [join(directory, 'tui/weir.js'), ...words, '--health', health], {
    stdio: 'ignore',
    cwd: directory,
  });
  const ended = once(child, 'close');
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await until(() => bench.agent('eu').state === 'fresh', 'it reports', 20_000);
  child.kill('SIGTERM');
  await ended;
  assert.equal(child.exitCode, 0);
});

test('it runs as nobody, as the manifest says, and answers probes where that asks them', () => {
  const settings = { cluster: 'eu', hubs: ['wss://edge.example:7071'], namespace: 'weir', image: 'agent', replicas: 2 };
  const objects = objectsOf({ ...settings, tokenSecret: 'token', certificateSecret: null, ca: null, config: null, prescale: [] });
  const text = JSON.stringify(objects);
  const [user = ''] = said('USER');
  assert.match(text, new RegExp(`"runAsUser":${user.split(':')[0]},"runAsGroup":${user.split(':')[1]}`));
  assert.match(text, new RegExp(`"containerPort":${said('EXPOSE')[0]}`));
});
