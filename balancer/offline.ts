// What needs no appliance: checking a config file, the schema for editors, and `npm run docs`, which writes the generated pages.
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Config } from './config/config.ts';
import { editorSchema } from './config/json-schema.ts';
import { hashPassword, makeKey, type MadeKey } from './config/make-credential.ts';
import { loadConfig } from './config/load.ts';
import { loadScenario } from './config/load-scenario.ts';
import { formatProblem } from './config/problems.ts';
import { referencePage } from './config/reference.ts';
import { EVENTS, type EventEntry } from './event-codes.ts';
import { ERRORS, grpcStatusOfError, isErrorCode, type ErrorEntry } from './errors.ts';
import { conditionsPage } from './filter/expression/conditions-page.ts';
import { filterPages } from './filter/filter-pages.ts';
import { FILTERS } from './filter/registry.ts';
import { hostEnvironment } from './host-environment.ts';
import { EXTENSIONS } from './registries.ts';
import { readSecret } from './secret.ts';
import { DecisionDecoder, UnreadableDecisions } from './steer/replay/decision-lines.ts';
import { Replay, replayText, type ReplaySummary } from './steer/replay/replay.ts';
import { scenarioOf } from './steer/simulate/from-config.ts';
import { simulate } from './steer/simulate/simulate.ts';
import { summarise as summariseRuns, summaryText, type Summary } from './steer/simulate/summary.ts';
import { unitOf, type MetricDefinition } from './telemetry/metric-definition.ts';
import { METRICS } from './telemetry/metrics.ts';

export type FileCheck =
  | { readonly ok: true; readonly config: Config; readonly summary: string }
  /** One line each, `file:line:column: path: message`. */
  | { readonly ok: false; readonly problems: readonly string[] };

/** Loads the file as `serve` does, and starts nothing. */
export async function checkFile(file: string): Promise<FileCheck> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    return { ok: false, problems: [`${file}: cannot be read: ${error instanceof Error ? error.message : String(error)}`] };
  }
  const loaded = loadConfig({ file, text }, EXTENSIONS, hostEnvironment());
  if (!loaded.ok) return { ok: false, problems: loaded.problems.map(formatProblem) };
  return { ok: true, config: loaded.config, summary: `${file}: valid: ${summarise(loaded.config)}` };
}

/** `pepperFile` null: there is no pepper. Null: the file cannot be read, or is empty. */
export function makeConsumerKey(consumer: string, pepperFile: string | null): MadeKey | null {
  const pepper = pepperFile === null ? null : readSecret({ file: pepperFile });
  return pepperFile !== null && pepper === null ? null : makeKey(consumer, pepper);
}

export { hashPassword };

export type FileSimulation =
  /** Figures, and the same in words. */
  { readonly ok: true; readonly summary: Summary; readonly text: string } | { readonly ok: false; readonly problems: readonly string[] };

/** Plays a scenario file through as often as it says. */
export async function simulateFile(file: string): Promise<FileSimulation> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    return { ok: false, problems: [`${file}: cannot be read: ${error instanceof Error ? error.message : String(error)}`] };
  }
  const loaded = loadScenario(file, text);
  if (!loaded.ok) return { ok: false, problems: loaded.problems.map(formatProblem) };
  const checked = await checkFile(resolve(dirname(file), loaded.file.config));
  if (!checked.ok) return checked;
  const { scenario, findings } = scenarioOf(loaded.file, checked.config);
  if (findings.length > 0) return { ok: false, problems: loaded.locate(findings).map(formatProblem) };
  const outcomes = Array.from({ length: loaded.file.seeds }, (_, index) => simulate(scenario, index + 1));
  const summary = summariseRuns(outcomes);
  return { ok: true, summary, text: summaryText(summary) };
}

export type FileReplay =
  | { readonly ok: true; readonly summary: ReplaySummary; readonly mismatches: number; readonly text: string }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Makes the decisions of a log again, and with `configFile` those that its config would have made. */
export async function replayFile(path: string, configFile: string | null): Promise<FileReplay> {
  const checked = configFile === null ? null : await checkFile(configFile);
  if (checked?.ok === false) return checked;
  const replay = new Replay(checked?.config ?? null);
  const decoder = new DecisionDecoder();
  try {
    for (const file of await decisionFiles(path)) {
      const problem = await replayLines(file, decoder, replay);
      if (problem !== null) return { ok: false, problems: [problem] };
    }
  } catch (error) {
    return { ok: false, problems: [`${path}: cannot be read: ${error instanceof Error ? error.message : String(error)}`] };
  }
  const summary = replay.summary();
  if (summary.decisions === 0) return { ok: false, problems: [`${path}: holds no decisions`] };
  return { ok: true, summary, mismatches: summary.mismatches, text: replayText(summary) };
}

/** One file, or those of a folder, oldest first: their names are times. */
async function decisionFiles(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => name.endsWith('.jsonl')).sort();
  return names.map((name) => join(path, name));
}

/** Null: done. */
async function replayLines(file: string, decoder: DecisionDecoder, replay: Replay): Promise<string | null> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  // Behind the last line end is nothing, or the beginning of a line that a killed controller did not end.
  lines.pop();
  for (const [index, line] of lines.entries()) {
    try {
      const decision = index === 0 ? decoder.header(line) : decoder.line(line, replay.memory);
      const problem = decision === null ? null : replay.add(decision);
      if (problem !== null) return `${file}:${index + 1}: the other config does not fit: ${problem}`;
    } catch (error) {
      if (error instanceof UnreadableDecisions) return `${file}:${index + 1}: ${error.message}`;
      throw error;
    }
  }
  return null;
}

function summarise({ listeners, clusters, services, routes, hash }: Config): string {
  const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
  const parts = [
    count(listeners.length, 'listener'),
    count(Object.keys(clusters).length, 'cluster'),
    count(Object.keys(services).length, 'service'),
    count(routes.length, 'route'),
  ];
  return `${parts.join(', ')}; hash ${hash.slice(0, 12)}`;
}

/** The JSON Schema of the config file. */
export function configSchema(): Readonly<Record<string, unknown>> {
  return editorSchema(EXTENSIONS);
}

/** The JSON Schema as text. */
export function printSchema(): string {
  return `${JSON.stringify(configSchema(), null, 2)}\n`;
}

/** File name under docs/ → its text. */
export function generatedPages(): Readonly<Record<string, string>> {
  return {
    'config.md': referencePage(EXTENSIONS),
    'weir.schema.json': printSchema(),
    'metrics.md': metricsPage(),
    'errors.md': errorsPage(),
    'conditions.md': conditionsPage(GENERATED),
    'events.md': eventsPage(),
    ...Object.fromEntries(Object.entries(filterPages(FILTERS, GENERATED)).map(([name, text]) => [`filters/${name}`, text])),
  };
}

const GENERATED = 'do not edit; `npm run docs` writes this page.';

function metricsPage(): string {
  const metrics: readonly (readonly [string, MetricDefinition])[] = Object.entries(METRICS);
  const rows = metrics.map(([name, { kind, labels, help }]) => `| \`${name}\` | ${kind} | ${unitOf(name)} | ${quoted(labels)} | ${help} |`);
  return [
    '# Metrics',
    `Made from \`balancer/telemetry/metrics.ts\`; ${GENERATED}`,
    'Base units; labels come from bounded sets only. Counters never go down while a host runs, also when a worker ends.',
    EXPOSITION,
    ['| metric | kind | unit | labels | meaning |', '| --- | --- | --- | --- | --- |', ...rows].join('\n'),
    '',
  ].join('\n\n');
}

const EXPOSITION = `They are read at \`metrics.bind\`, path \`/metrics\`, in Prometheus' text format, or in OpenMetrics 1.0 by who asks for it with \`Accept\`, as Prometheus does; compressed
by who takes gzip. In OpenMetrics the buckets of latency have exemplars: the id of a trace that was exported (traces.md), how long it took, and when; Prometheus keeps them with
\`--enable-feature=exemplar-storage\`, and Grafana shows them as points that lead to the trace.

Latency is told for each service and version, and for each cluster, not for the three at once, which would be 28 lines for each place that there is. All histograms of time have the same buckets in every
worker and on every host: their sums are histograms too. Of a thousand services with two versions in three of a hundred clusters each there are 240,000 lines, 26 MB as text and 2 MB as gzip.`;

function eventsPage(): string {
  const events: readonly (readonly [string, EventEntry])[] = Object.entries(EVENTS);
  const rows = events.map(([code, { kind, severity, help }]) => `| \`${code}\` | ${kind} | ${severity} | ${help} |`);
  return [
    '# Events',
    `The table is made from \`balancer/event-codes.ts\`; ${GENERATED}`,
    'What happens on a host is one stream: the last 1000 events are kept in memory, numbered without gaps, and each is a line of the log of weir too. ' +
      '`weir events` lists them, `weir events -f` follows, `--code health --severity critical` chooses; `GET /v1/events/follow` is the same as lines of JSON. ' +
      'A reader that is too slow misses the oldest, and sees it by the numbers.',
    WEBHOOKS,
    '## Codes',
    ['| code | kind | severity | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n'),
    '',
  ].join('\n\n');
}

const WEBHOOKS = `## Webhooks

\`\`\`yaml
events:
  webhooks:
    pager: { url: "https://hooks.example.com/weir", secret: { file: /etc/weir/hook.key }, events: [health, fleet.away], severity: warning }
\`\`\`

Each event is a POST with the body \`{"type":"CODE","timestamp":"…","data":{…}}\`, by the rules of [Standard Webhooks](https://www.standardwebhooks.com):

- \`webhook-id\` is the same each time the event is sent: who has seen it drops it.
- \`webhook-timestamp\` is the time of this attempt, in seconds since 1970: who gets one that is more than five minutes off refuses it.
- \`webhook-signature\` is \`v1,\` and the HMAC-SHA256 of \`ID.TIMESTAMP.BODY\` in Base64, once for each key of \`secret\`, parted by spaces. The file has a key a line, each
  \`whsec_\` and Base64; write the new one above the old one, and take the old one out when nobody checks by it any more.

Any 2xx takes the event. What is not taken is sent again after 5 s, 10 s, 20 s, up to 5 minutes, for a day; \`Retry-After\` is heeded; 410 ends it. Events wait in order, each webhook for
itself, 1000 at most: beyond, the oldest are dropped. They wait in memory: what was not taken when the controller ends is not sent again.
What became of them is in \`weir_webhook_events_total\`.`;

function errorsPage(): string {
  const errors: readonly (readonly [string, ErrorEntry])[] = Object.entries(ERRORS);
  const rows = errors.map(
    ([code, { status, title, blame, retry, proxyStatus }]) =>
      `| \`${code}\` | ${status === 0 ? 'closed' : status} | ${grpcStatus(code, status)} | ${title} | ${blame} | ${retry} | \`${proxyStatus}\` |`,
  );
  return [
    '# Errors',
    `Made from \`balancer/errors.ts\`; ${GENERATED}`,
    'Answers made by weir itself are problem details (RFC 9457) or plain text, by `Accept`. They carry the code and the request id; the filter [errorPages](filters/error-pages.md) words them otherwise. ' +
      'A call of gRPC or gRPC-Web gets 200 and, in the same head, the *gRPC* status as `grpc-status`. ' +
      '*Blame* says against whom the error counts: only `path` and `service` count against an endpoint or a version. ' +
      '*Retry* says when another attempt may be made: `unsent`, when no byte reached the origin; `idempotent`, for methods of RFC 9110 section 9.2.2.',
    ['| code | status | gRPC | title | blame | retry | proxy-status |', '| --- | --- | --- | --- | --- | --- | --- |', ...rows].join('\n'),
    '',
  ].join('\n\n');
}

const grpcStatus = (code: string, status: number): string => (status === 0 || !isErrorCode(code) ? '' : `${grpcStatusOfError(code)}`);

const quoted = (words: readonly string[]): string => words.map((word) => `\`${word}\``).join(', ');

async function writePages(): Promise<void> {
  await mkdir(join(import.meta.dirname, '../docs/filters'), { recursive: true });
  for (const [name, text] of Object.entries(generatedPages())) {
    await writeFile(join(import.meta.dirname, '../docs', name), text);
    process.stdout.write(`docs/${name}\n`);
  }
}

if (import.meta.main) {
  if (process.argv[2] === 'docs') await writePages();
  else {
    process.stderr.write('usage: node balancer/offline.ts docs\n');
    process.exitCode = 2;
  }
}
