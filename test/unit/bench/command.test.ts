// The bench command line: help, wrong options, and a whole small run on a machine that has nothing installed.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { UsageError } from '../../../bench/scenario.ts';
import { readComparisonOptions } from '../../../bench/scenarios/comparison-options.ts';

const RUN = join(import.meta.dirname, '../../../bench/run.ts');
const KNOWN = ['weir', 'nginx', 'haproxy'];

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function bench(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Result> {
  return new Promise((resolve) => {
    execFile(process.execPath, [RUN, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

test('options are read, in the order of the registry', () => {
  const options = readComparisonOptions(
    ['--contenders', 'nginx,weir', '--connections', '64', '--rounds', '5', '--json', 'out.json'],
    KNOWN,
  );
  assert.deepEqual(options, {
    contenders: ['weir', 'nginx'],
    connections: [64],
    rounds: 5,
    seconds: 4,
    warmUpSeconds: 4,
    load: 'auto',
    jsonFile: 'out.json',
  });
});

test('a wrong option is a usage error that names it', () => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['--contenders', 'weir,envoy'], /envoy: there is none of that name; known: weir, nginx, haproxy/],
    [['--connections', '64,x'], /--connections x: expected a whole number/],
    [['--rounds', '0'], /--rounds 0: expected a whole number from 1/],
    [['--load', 'ab'], /--load ab: expected auto, wrk or own/],
    [['--fast'], /--fast/],
  ];
  for (const [args, message] of wrong) {
    assert.throws(
      () => readComparisonOptions(args, KNOWN),
      (error) => error instanceof UsageError && message.test(error.message),
    );
  }
});

test('--help lists the scenarios, an unknown one is refused with exit code 2', async () => {
  const help = await bench(['--help']);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^ {2}proxy /m);
  const unknown = await bench(['warp']);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /there is no scenario warp; known: proxy/);
});

test('without nginx, HAProxy and wrk it says how to install them and measures what is there', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'bench-test-'));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const json = join(directory, 'out.json');
  const args = [
    'proxy',
    '--contenders',
    'nginx,haproxy,http-proxy',
    '--connections',
    '4',
    '--rounds',
    '1',
    '--seconds',
    '1',
    '--warm-up',
    '0',
  ];
  // A path with nothing on it but Node: what a bare machine has.
  const result = await bench([...args, '--json', json], { ...process.env, PATH: dirname(process.execPath), TMPDIR: directory });
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /nginx +missing, install it with: apt-get install nginx/);
  assert.match(result.stdout, /haproxy +missing, install it with: apt-get install haproxy/);
  assert.match(result.stdout, /origin +own socket server/);
  assert.match(result.stdout, /load +own load generator/);
  assert.match(result.stdout, /\nhttp-proxy +\d+ .* 0\n/);
  const report: unknown = JSON.parse(await readFile(json, 'utf8'));
  assert.ok(typeof report === 'object' && report !== null && 'kind' in report && 'tables' in report);
  assert.equal(report.kind, 'bench/proxy');
  assert.deepEqual(await readdir(directory), ['out.json'], 'temporary files are removed');
});
