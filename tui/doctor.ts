// What `weir doctor` looks at: each check says what it found, and what to do where that is not well. Every one runs, whatever the others find.
import { existsSync } from 'node:fs';
import type { EdgeView, StatusView, WorkerView } from '../balancer/controller/api/views.ts';
import { weirVersion } from '../balancer/version.ts';
import type { AdminClient } from './client.ts';
import { contextFile, looseRights, readContexts } from './contexts.ts';
import { CommandFailure, EXIT } from './exit.ts';
import type { Terminal } from './terminal.ts';

export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'problem';
  readonly says: string;
  /** What to do; empty: nothing. */
  readonly fix: string;
}

export interface Patient {
  readonly terminal: Terminal;
  readonly connect: () => Promise<AdminClient>;
}

const ok = (check: string, says: string): Finding => ({ check, state: 'ok', says, fix: '' });
const warning = (check: string, says: string, fix: string): Finding => ({ check, state: 'warning', says, fix });
const problem = (check: string, says: string, fix: string): Finding => ({ check, state: 'problem', says, fix });

export async function examine(patient: Patient): Promise<readonly Finding[]> {
  const here = [nodeVersion(), locale(patient.terminal), await contexts(patient.terminal)];
  try {
    const client = await patient.connect();
    const startedMs = patient.terminal.clock.nowMs();
    const status = await client.status();
    const tookMs = patient.terminal.clock.nowMs() - startedMs;
    return [...here, ...(await appliance(patient, client, { status, tookMs }))];
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    const [first = '', ...rest] = error.message.split('\n');
    const fix =
      rest.join(' ') ||
      (error.exitCode === EXIT.notAllowed
        ? 'give a token that is valid: WEIR_TOKEN_FILE, or the context'
        : '`weir serve -c weir.yaml` starts it');
    return [...here, problem('appliance', first, fix)];
  }
}

function nodeVersion(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const says = `Node.js ${process.versions.node}`;
  return major > 26 || (major === 26 && minor >= 4) ? ok('node', says) : problem('node', says, 'weir needs Node.js 26.4 or later');
}

function locale({ env }: Terminal): Finding {
  const name = env['LC_ALL'] ?? env['LC_CTYPE'] ?? env['LANG'] ?? '';
  return /utf-?8/i.test(name)
    ? ok('locale', name)
    : warning('locale', `${name === '' ? 'none' : name}: weir top draws with ASCII`, 'export LANG=C.UTF-8');
}

async function contexts({ env }: Terminal): Promise<Finding> {
  const path = contextFile(env);
  if (!existsSync(path)) return ok('contexts', 'no context file, so the socket of this host is used');
  const loose = looseRights(path);
  if (loose !== null) return warning('contexts', loose, `chmod 600 ${path}`);
  try {
    const file = await readContexts(env);
    return ok('contexts', `${file?.contexts.length ?? 0} in ${path}, in use: ${file?.current ?? 'none'}`);
  } catch (error) {
    return problem('contexts', error instanceof Error ? error.message : String(error), `mend ${path}`);
  }
}

/** Slower than this to tell its status, somebody should ask why. */
const SLOW_MS = 1000;
/** Clocks of host and fleet, or of host and here, may differ by so much. */
const SKEW_MS = 5000;

interface Seen {
  readonly status: StatusView;
  readonly tookMs: number;
}

async function appliance({ terminal }: Patient, client: AdminClient, { status, tookMs }: Seen): Promise<readonly Finding[]> {
  const workers = (await client.list<WorkerView>('workers')).items;
  const edges = (await client.list<EdgeView>('edges')).items;
  return [
    tookMs < SLOW_MS
      ? ok('appliance', `${status.host} at ${client.where} answers in ${Math.round(tookMs)} ms, you are ${status.role}`)
      : warning('appliance', `${status.host} takes ${Math.round(tookMs)} ms to answer`, 'look at its load: weir get workers'),
    versions(status),
    clock(terminal, status),
    ...status.alerts.map(({ severity, text, code }) =>
      (severity === 'problem' ? problem : warning)('state', text, `docs/runbook.md#${code.replaceAll('_', '-')}`),
    ),
    ...(status.alerts.length === 0 ? [ok('state', 'nothing is wrong')] : []),
    ...workerFindings(status, workers),
    ...edgeFindings(status, edges),
    status.headroom.startsWith('no')
      ? warning('headroom', `if a cluster is lost: ${status.headroom}`, 'add capacity, or accept it')
      : ok('headroom', `one cluster can be lost: ${status.headroom}`),
    await audit(client),
  ];
}

function versions({ version }: StatusView): Finding {
  const own = weirVersion();
  return version === own
    ? ok('version', `command and appliance are ${own}`)
    : warning(
        'version',
        `the command is ${own}, the appliance ${version}`,
        'use the command that came with the appliance, or weir upgrade',
      );
}

function clock(terminal: Terminal, { at }: StatusView): Finding {
  const skewMs = Date.parse(at) - terminal.clock.wallMs();
  const says = `the clock of the appliance is ${Math.abs(Math.round(skewMs / 100) / 10)} s ${skewMs < 0 ? 'behind' : 'ahead of'} this one`;
  return Math.abs(skewMs) <= SKEW_MS
    ? ok('clock', says)
    : warning('clock', says, 'both should follow a time server: timed changes and certificates go by it');
}

function workerFindings({ plan, generation }: StatusView, workers: readonly WorkerView[]): readonly Finding[] {
  const behind = workers.filter((worker) => worker.state === 'ready' && (worker.generation !== generation || worker.plan < plan - 1));
  const restarted = workers.filter(({ restarts }) => restarts > 0);
  const late = workers.filter(({ eventLoopDelayMs }) => eventLoopDelayMs >= 50);
  const names = (some: readonly WorkerView[]): string => some.map(({ name }) => name).join(', ');
  return [
    behind.length === 0
      ? ok('workers', `all ${workers.length} serve what holds`)
      : problem('workers', `${names(behind)} serve an older plan or config`, 'weir events, then weir restart'),
    ...(restarted.length === 0 ? [] : [warning('workers', `${names(restarted)} were replaced before`, 'weir events and the log say why')]),
    ...(late.length === 0
      ? []
      : [
          warning(
            'workers',
            `the event loop of ${names(late)} is late by 50 ms and more`,
            'fewer filters, or more cores: weir get workers',
          ),
        ]),
  ];
}

function edgeFindings({ revision }: StatusView, edges: readonly EdgeView[]): readonly Finding[] {
  if (edges.length <= 1) return [];
  const gone = edges.filter(({ silentMs }) => silentMs !== null);
  const behind = edges.filter((edge) => edge.silentMs === null && edge.servedRevision < revision);
  const otherwise = edges.filter(({ configHash }) => configHash !== edges[0]?.configHash);
  const skewed = edges.filter(({ skewMs }) => Math.abs(skewMs ?? 0) > SKEW_MS);
  const names = (some: readonly EdgeView[]): string => some.map(({ name }) => name).join(', ');
  return [
    ...(gone.length === 0
      ? [ok('fleet', `${edges.length} hosts are heard of`)]
      : [problem('fleet', `${names(gone)} not heard of`, 'look at those hosts: systemctl status weir')]),
    ...(behind.length === 0
      ? []
      : [warning('fleet', `${names(behind)} serve an older revision than ${revision}`, 'weir get edges -o wide')]),
    ...(otherwise.length === 0
      ? []
      : [warning('fleet', `${names(otherwise)} have another config`, 'weir config apply on all, or weir get edges')]),
    ...(skewed.length === 0
      ? []
      : [warning('fleet', `the clocks of ${names(skewed)} are off by more than 5 s`, 'let them follow a time server')]),
  ];
}

async function audit(client: AdminClient): Promise<Finding> {
  const { records, intact, brokenAt } = await client.verifyAudit();
  return intact
    ? ok('audit', `${records} records, the chain is whole`)
    : problem(
        'audit',
        `the chain of records is broken at revision ${brokenAt ?? '?'}`,
        'somebody changed the store by hand: docs/changes.md',
      );
}
