// The demo as a new user meets it: start, paste what it prints, lose a cluster, bring it back, Ctrl-C, start again.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import { FREE_PORTS, isAlive, paste, startDemo, type DemoProcess } from '../support/demo-process.ts';
import { until } from '../support/until.ts';

/** After a cluster is lost no request may fail later than this. */
const GRACE_MS = 2_000;
/** In any run of requests a worker is off the exact share of a target by less than 2 (1 at each end); green has 2 targets, the demo 2 workers. */
const SPLIT_TOLERANCE = 2 * 2 * 2;
/** How long requests are watched after the grace. */
const WATCHED_MS = 2_000;

interface Answer {
  readonly cluster: string;
  readonly version: string;
}

function decodeAnswer(text: string): Answer {
  const value: unknown = JSON.parse(text);
  assert.ok(typeof value === 'object' && value !== null && 'cluster' in value && 'version' in value, text);
  return { cluster: String(value.cluster), version: String(value.version) };
}

/** One GET; the answer of an origin, or null for anything else. */
function ask(url: string, agent: Agent): Promise<Answer | null> {
  return new Promise((resolve) => {
    const request = get(url, { agent, timeout: 5_000 }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += String(chunk)));
      response.once('error', () => resolve(null));
      response.once('end', () => resolve(response.statusCode === 200 ? decodeAnswer(text) : null));
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(null));
  });
}

/** Eight clients that ask one request after the other until told to stop; the times of failures, and who answered when. */
class Traffic {
  readonly failedAtMs: number[] = [];
  readonly answers: { readonly atMs: number; readonly cluster: string }[] = [];
  readonly #agent = new Agent({ keepAlive: true });
  readonly #clients: Promise<void>[];
  #running = true;

  constructor(url: string) {
    this.#clients = Array.from({ length: 8 }, () => this.#client(url));
  }

  async #client(url: string): Promise<void> {
    while (this.#running) {
      const startedMs = performance.now();
      const answer = await ask(url, this.#agent);
      if (answer === null) this.failedAtMs.push(startedMs);
      else this.answers.push({ atMs: performance.now(), cluster: answer.cluster });
    }
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#clients);
    this.#agent.destroy();
  }
}

/** The lines that the guide says come first in another terminal. */
const enter = (demo: DemoProcess): readonly string[] => [demo.command(/^cd /), demo.command(/^export WEIR_SERVER=/)];

async function takeTheTour(demo: DemoProcess): Promise<void> {
  const answers = await paste([demo.command(/seq 10.*curl/)]);
  assert.equal(answers.code, 0, answers.stderr);
  const lines = answers.stdout.trim().split('\n').map(decodeAnswer);
  assert.equal(lines.length, 10);
  assert.ok(lines.every(({ version }) => version === 'blue' || version === 'green'));

  const status = await paste([...enter(demo), demo.command(/ status$/)]);
  assert.equal(status.code, 0, status.stderr);
  for (const cluster of ['eu-west', 'us-east', 'ap-south']) assert.match(status.stdout, new RegExp(cluster));

  const preview = await paste([...enter(demo), demo.command(/shift .*--dry-run$/)]);
  assert.equal(preview.code, 10, `a dry run that finds changes exits 10: ${preview.stderr}`);
  const shift = await paste([...enter(demo), demo.command(/shift demo green=50$/)]);
  assert.equal(shift.code, 0, shift.stderr);
}

/** Versions of `count` requests: how many went to green. */
async function greens(url: string, count: number): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  const answers = await Promise.all(Array.from({ length: count }, () => ask(url, agent)));
  agent.destroy();
  assert.ok(!answers.includes(null), 'every request is answered');
  return answers.filter((answer) => answer?.version === 'green').length;
}

test('the printed commands work, a lost cluster costs nothing after 2 s, and Ctrl-C leaves nothing behind', async (context) => {
  const temporary = await mkdtemp(join(tmpdir(), 'demo-test-'));
  context.after(() => rm(temporary, { recursive: true, force: true }));
  const demo = startDemo(context, FREE_PORTS, { ...process.env, TMPDIR: temporary });
  await demo.ready();
  const url = demo.printed(/^ {2}service +(\S+)$/m);

  await context.test('curl, status, shift with and without --dry-run, undo', async () => {
    await takeTheTour(demo);
    const half = await greens(url, 100);
    assert.ok(Math.abs(half - 50) <= SPLIT_TOLERANCE, `green got ${half} of 100 after green=50`);
    const undo = await paste([...enter(demo), demo.command(/ undo$/)]);
    assert.equal(undo.code, 0, undo.stderr);
    const tenth = await greens(url, 100);
    assert.ok(Math.abs(tenth - 10) <= SPLIT_TOLERANCE, `green got ${tenth} of 100 after undo`);
  });

  await context.test('after a cluster is killed no request fails later than 2 s, and it comes back when asked', async () => {
    const traffic = new Traffic(url);
    try {
      await until(() => traffic.answers.some(({ cluster }) => cluster === 'eu-west'), 'an answer from eu-west');
      const lostAtMs = performance.now();
      const killed = await paste([demo.command(/^kill \d+$/)]);
      assert.equal(killed.code, 0, killed.stderr);
      await delay(GRACE_MS + WATCHED_MS);
      const late = traffic.failedAtMs.filter((atMs) => atMs > lostAtMs + GRACE_MS);
      assert.equal(late.length, 0, `${late.length} requests failed after the grace, ${traffic.failedAtMs.length} in all`);
      const lateAnswers = traffic.answers.filter(({ atMs }) => atMs > lostAtMs + GRACE_MS);
      assert.ok(lateAnswers.length > 0 && lateAnswers.every(({ cluster }) => cluster !== 'eu-west'));
      const backAtMs = performance.now();
      assert.equal((await paste([demo.command(/^kill -USR2 \d+$/)])).code, 0);
      const isBack = (): boolean => traffic.answers.some(({ atMs, cluster }) => atMs > backAtMs && cluster === 'eu-west');
      await until(isBack, 'an answer from eu-west after it was brought back', 20_000);
      assert.deepEqual(
        traffic.failedAtMs.filter((atMs) => atMs > lostAtMs + GRACE_MS),
        [],
      );
    } finally {
      await traffic.stop();
    }
  });

  await context.test('Ctrl-C ends it with exit code 0; no process, no file and no port of it is left', async () => {
    const processes = demo.processes();
    // 3 origins, 3 agents, supervisor, controller, 2 workers, and the demo itself.
    assert.ok(processes.length >= 11, `${processes.length} processes`);
    assert.deepEqual(await demo.end('SIGINT'), { code: 0, signal: null });
    assert.deepEqual(processes.filter(isAlive), []);
    assert.deepEqual(await readdir(temporary), []);
  });

  await context.test('it starts again on the same ports', async () => {
    const again = startDemo(context, ['--port', new URL(url).port, ...FREE_PORTS.slice(2)], { ...process.env, TMPDIR: temporary });
    await again.ready();
    assert.equal(again.printed(/^ {2}service +(\S+)$/m), url);
    assert.ok((await greens(url, 20)) <= 2 + SPLIT_TOLERANCE);
    const directory = again.printed(/^ {2}logs +(\S+)$/m);
    assert.ok(existsSync(directory));
    assert.deepEqual(await again.end('SIGTERM'), { code: 0, signal: null });
    assert.equal(existsSync(directory), false);
  });
});
