// The bench command line: help, wrong options, and a whole small run on a machine that has nothing installed.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { UsageError, type Scenario } from '../../../bench/scenario.ts';
import { allOf, readAllOptions } from '../../../bench/scenarios/all.ts';
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

test('what is not asked for has a default: of the scenario for connections and length, one short round for --quick', () => {
  const plain = readComparisonOptions([], KNOWN, 15);
  assert.deepEqual([plain.contenders, plain.connections, plain.rounds, plain.seconds, plain.warmUpSeconds], [KNOWN, null, 5, 15, 4]);
  const quick = readComparisonOptions(['--quick', '--rounds', '2'], KNOWN, 15);
  assert.deepEqual([quick.rounds, quick.seconds, quick.warmUpSeconds], [2, 1, 1]);
});

const scenario = (name: string, options: readonly string[], exitCode: number | Error): Scenario => ({
  name,
  summary: '',
  options,
  run: async (args) => {
    const file = args.at(-1) ?? '';
    if (exitCode instanceof Error) throw exitCode;
    await writeFile(file, JSON.stringify({ kind: name, args: args.slice(0, -2) }));
    return exitCode;
  },
});

test('all hands options on to the scenarios that have them, and refuses a scenario that is not there', () => {
  const known = [scenario('a', ['--rounds N  x', '--quick  x'], 0), scenario('b', ['--rounds N  x'], 0)];
  const { scenarios, argumentsOf } = readAllOptions(['--rounds', '2', '--quick', '--only', 'b,a'], known);
  assert.deepEqual(scenarios.map(argumentsOf), [
    ['--rounds', '2', '--quick'],
    ['--rounds', '2'],
  ]);
  assert.throws(() => readAllOptions(['--only', 'c'], known), /--only c: there is none of that name; known: a, b/);
});

test('all reports every scenario, also when one fails', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'bench-test-'));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'all.json');
  const all = allOf([scenario('a', [], new Error('no origin')), scenario('b', [], 1), scenario('c', [], 0)]);
  assert.equal(await all.run(['--json', file], new AbortController().signal), 1);
  const report: unknown = JSON.parse(await readFile(file, 'utf8'));
  assert.deepEqual(report, {
    kind: 'bench/all',
    args: ['--json', file],
    outcomes: [
      { scenario: 'a', exitCode: 1, problem: 'no origin', report: null },
      { scenario: 'b', exitCode: 1, problem: null, report: { kind: 'b', args: [] } },
      { scenario: 'c', exitCode: 0, problem: null, report: { kind: 'c', args: [] } },
    ],
  });
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
  assert.match(result.stdout, /load: own load generator/);
  assert.match(result.stdout, /\nhttp-proxy +\d+ .* 0 +\d+ +-\n/);
  const report: unknown = JSON.parse(await readFile(json, 'utf8'));
  assert.ok(typeof report === 'object' && report !== null && 'kind' in report && 'tables' in report);
  assert.equal(report.kind, 'bench/proxy');
  assert.deepEqual(await readdir(directory), ['out.json'], 'temporary files are removed');
});
