// The text of a config file → a complete, frozen Config, or all that is wrong with it. `weir check` and `weir serve` share it.
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { canonicalJson } from './canonical-json.ts';
import { completeClientLocations, completeClientRegions } from './complete-regions.ts';
import { completeCluster } from './complete-cluster.ts';
import { completeConsumers, completeCredentials } from './complete-consumers.ts';
import { completeDrills } from './complete-drills.ts';
import { completeGate } from './complete-gate.ts';
import { completeLimits } from './complete-limits.ts';
import { completeIssuers } from './complete-issuers.ts';
import { completeHost } from './complete-host.ts';
import { completeRoutes, reportUnaskedCertificates } from './complete-route.ts';
import { completeService } from './complete-service.ts';
import { Completion, type CompletedRoutes, type ConfigEnvironment, type DeclaredNames } from './completion.ts';
import type { Config } from './config.ts';
import { readDocument, type ConfigDocument } from './document.ts';
import type { ConfigExtensions, DeclaredLimit } from './extension.ts';
import { formatPath, show, sortProblems, type ConfigProblem, type Finding } from './problems.ts';
import { reread, type ReadText } from './reread.ts';
import { routePieces } from './route-pieces.ts';
import { completeSafety } from './complete-safety.ts';
import { salvage } from './salvage.ts';
import { fileSchema, type ConfigFile } from './schema.ts';
import type { RouteFile } from './schema-fleet.ts';
import { createValidator, type Validator } from './validate.ts';

export type { ConfigEnvironment } from './completion.ts';

export interface ConfigSource {
  /** As problems name it; files that the config names are relative to its directory. */
  readonly file: string;
  readonly text: string;
}

export type LoadedConfig =
  | { readonly ok: true; readonly config: Config; readonly kept: KeptReading | null }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** What a text that changed little need not be read for again. */
export interface KeptReading {
  readonly file: string;
  readonly extensions: ConfigExtensions;
  readonly read: ReadText;
  /** With defaults filled in. */
  readonly routes: readonly RouteFile[];
  readonly completed: CompletedRoutes;
}

/** `kept`: of the reading before, whose routes are taken over where the text still says the same; what comes out is the same without it. */
export function loadConfig(
  source: ConfigSource,
  extensions: ConfigExtensions,
  environment: ConfigEnvironment,
  kept: KeptReading | null = null,
): LoadedConfig {
  const program = { extensions, environment };
  return (kept === null ? null : loadChanged(source, program, kept)) ?? loadWhole(source, program);
}

interface Program {
  readonly extensions: ConfigExtensions;
  readonly environment: ConfigEnvironment;
}

/** Null: it has to be loaded whole, be it to tell its problems. */
function loadChanged(source: ConfigSource, { extensions, environment }: Program, kept: KeptReading): LoadedConfig | null {
  if (kept.file !== source.file || kept.extensions !== extensions) return null;
  const again = reread(kept.read, source.text);
  if (again === null) return null;
  const declared = declaredNames(again.value);
  const { file, misfits, isBroken } = salvage(again.value, validatorFor(extensions));
  if (file === null || misfits.length > 0) return null;
  const known = again.isRestSame ? kept.completed : null;
  const completion = new Completion({ extensions, environment, declared, isBroken, directory: dirname(source.file), misfits, known });
  const behind = kept.routes.slice(kept.routes.length - again.behind);
  const routes = [...kept.routes.slice(0, again.ahead), ...file.routes, ...behind];
  const config = complete({ ...file, routes }, completion);
  if (completion.findings.length > 0) return null;
  return { ok: true, config: deepFreeze(config), kept: { ...kept, read: again.now, routes, completed: completion.completed } };
}

function loadWhole(source: ConfigSource, { extensions, environment }: Program): LoadedConfig {
  const document = readDocument(source.text);
  if (document.problems.length > 0) {
    const problems = document.problems.map((problem) => ({ ...problem, file: source.file, path: '' }));
    return { ok: false, problems: sortProblems(problems) };
  }
  const root = document.value;
  if (typeof root !== 'object' || root === null || Array.isArray(root)) {
    const message = `${root === null ? 'the file is empty' : `${show(root)} is not a configuration`}; expected a mapping that begins with version: 1`;
    return { ok: false, problems: locateAll([{ path: [], message }], source.file, document) };
  }
  const declared = declaredNames(root);
  const { file, misfits, isBroken } = salvage(root, validatorFor(extensions));
  const completion = new Completion({ extensions, environment, declared, isBroken, directory: dirname(source.file), misfits, known: null });
  const config = file === null ? null : complete(file, completion);
  const findings = [...misfits, ...completion.findings];
  if (file === null || config === null || findings.length > 0) return { ok: false, problems: locateAll(findings, source.file, document) };
  const places = document.itemPlaces();
  const { completed } = completion;
  const kept =
    places === null ? null : { file: source.file, extensions, read: { text: source.text, places }, routes: file.routes, completed };
  return { ok: true, config: deepFreeze(config), kept };
}

/** Compiling the schema takes longer than most files do; a host loads with the same extensions again and again. */
const validators = new WeakMap<ConfigExtensions, Validator>();

function validatorFor(extensions: ConfigExtensions): Validator {
  const known = validators.get(extensions);
  if (known !== undefined) return known;
  const validator = createValidator(fileSchema(extensions));
  validators.set(extensions, validator);
  return validator;
}

function complete(file: ConfigFile, completion: Completion): Config {
  const host = completeHost(file, completion);
  const clusters = Object.fromEntries(
    completion.usable('clusters', file.clusters).map(([name, cluster]) => [name, completeCluster(name, cluster, completion)]),
  );
  const services = Object.fromEntries(
    completion.usable('services', file.services).map(([name, service]) => [name, completeService(name, service, completion)]),
  );
  reportUnaskedCertificates(file.routes, host.listeners, completion);
  const shared = {
    regions: file.regions,
    clientRegions: completeClientRegions(file, completion),
    clientLocations: completeClientLocations(file, completion),
    safety: completeSafety(file.safety, completion),
    gates: completeGates(file, completion),
    drills: completeDrills(file.drills, completion),
    clusters,
    services,
    routes: completeRoutes(file.routes, { listeners: host.listeners, clusters, services }, completion),
    consumers: completeConsumers(file.consumers, completion),
    credentials: completeCredentials(file.credentials, completion),
    issuers: completeIssuers(file.issuers, completion),
    limits: completeLimits(file, completion),
  };
  const { routes, ...others } = shared;
  const hash = createHash('sha256').update(canonicalJson(others));
  // Without the brackets: where pieces begin says nothing of the routes.
  for (const { text } of routePieces(routes)) hash.update(text.slice(1, -1)).update(',');
  return { ...host, ...shared, hash: hash.digest('hex') };
}

function completeGates(file: ConfigFile, completion: Completion): Config['gates'] {
  const gates = completion.usable('gates', file.gates).flatMap(([name, gate]) => {
    const asked = completeGate(name, gate, completion);
    return asked === null ? [] : [[name, asked] as const];
  });
  return Object.fromEntries(gates);
}

function declaredNames(root: object): DeclaredNames {
  const keys = (part: string): ReadonlySet<string> => {
    const value: unknown = Reflect.get(root, part);
    return new Set(typeof value === 'object' && value !== null ? Object.keys(value) : []);
  };
  return {
    listeners: keys('listeners'),
    clusters: keys('clusters'),
    services: keys('services'),
    gates: keys('gates'),
    consumers: keys('consumers'),
    issuers: keys('issuers'),
    plans: keys('plans'),
    limits: new Map([...keys('limits')].map((name) => [name, declaredLimit(Reflect.get(root, 'limits'), name)])),
    hasRedis: isThere(root, 'state', 'redis'),
    hasLocations: isThere(root, 'clientLocations', 'database'),
  };
}

/** Whatever is wrong with it is said elsewhere. */
function isThere(root: object, part: string, key: string): boolean {
  const value: unknown = Reflect.get(root, part);
  return typeof value === 'object' && value !== null && Reflect.get(value, key) !== undefined;
}

/** As written, whatever it is: what is wrong with it is said elsewhere. */
function declaredLimit(limits: unknown, name: string): DeclaredLimit {
  const limit: unknown = typeof limits === 'object' && limits !== null ? Reflect.get(limits, name) : null;
  const part = (key: string): unknown => (typeof limit === 'object' && limit !== null ? Reflect.get(limit, key) : null);
  const by = part('by');
  const most = part('algorithm') === 'token' ? (part('burst') ?? part('allow')) : part('allow');
  return {
    by: Array.isArray(by) ? by.map(String) : [],
    isOfThoseAtOnce: part('algorithm') === 'concurrency',
    most: typeof most === 'number' ? most : Infinity,
  };
}

function locateAll(findings: readonly Finding[], file: string, document: ConfigDocument): readonly ConfigProblem[] {
  return sortProblems(
    findings.map(({ path, message, atKey }) => ({ file, ...document.locate(path, atKey ?? false), path: formatPath(path), message })),
  );
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) for (const item of value) deepFreeze(item);
  else for (const key in value) deepFreeze(value[key]);
  return Object.freeze(value);
}
