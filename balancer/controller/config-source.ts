// Which config text is served: the local file's, or one that was applied over it since. A file that changes wins again.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { canonicalJson } from '../config/canonical-json.ts';
import type { ConfigEnvironment } from '../config/completion.ts';
import type { Config } from '../config/config.ts';
import type { ConfigExtensions } from '../config/extension.ts';
import { filePartsOf, fleetFingerprint } from '../config/file-parts.ts';
import { loadConfig, type KeptReading } from '../config/load.ts';
import { formatProblem } from '../config/problems.ts';
import type { AppliedConfig, Store } from '../store/store.ts';

export interface ConfigSourceOptions {
  /** Absolute. */
  readonly configFile: string;
  readonly extensions: ConfigExtensions;
  readonly environment: ConfigEnvironment;
  readonly store: Pick<Store, 'appliedConfig' | 'getValue'>;
}

/** A config with the text it was read from. */
export interface ConfigText {
  readonly text: string;
  readonly config: Config;
  /** SHA-256 of the whole config, in hex: the same text on the same host has the same. */
  readonly fingerprint: string;
  /** Null: the text is the local file's. */
  readonly applied: AppliedConfig | null;
  /** The part that all hosts of the fleet share; null: the host is alone. */
  readonly shared: SharedConfig | null;
}

export interface SharedConfig {
  readonly fingerprint: string;
  readonly text: string;
}

/** In the store: the text of the fleet's part that was last in service here. */
export const FLEET_CONFIG = 'config.fleet';

/** Problems are lines `file:line:column: path: message`. */
export type ReadResult =
  | { readonly ok: true; readonly value: ConfigText; readonly note: string | null }
  | { readonly ok: false; readonly problems: readonly string[] };

export class ConfigSource {
  readonly #options: ConfigSourceOptions;
  #kept: KeptReading | null = null;

  constructor(options: ConfigSourceOptions) {
    this.#options = options;
  }

  /** What is to be served now. `note`: something an operator should know about the choice. */
  read(): ReadResult {
    const { configFile, store } = this.#options;
    let text: string;
    try {
      text = readFileSync(configFile, 'utf8');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { ok: false, problems: [`${configFile}: the file cannot be read: ${reason}`] };
    }
    const file = this.parse(text, null);
    if (file.ok && file.value.shared !== null) return this.#withKept(text, file);
    const applied = store.appliedConfig();
    if (applied === null) return file;
    if (applied.fileHash !== textHash(text))
      return file.ok ? { ...file, note: `the file changed after another config was applied at ${applied.at}: the file is served` } : file;
    const read = this.parse(applied.text, applied);
    if (read.ok) return { ...read, note: `serving the config that was applied at ${applied.at}, not the file` };
    const note = `the config applied at ${applied.at} is not valid any more (${read.problems[0] ?? ''}): the file is served`;
    return file.ok ? { ...file, note } : file;
  }

  /**
   * What this host's file says of itself, with what the fleet has agreed on. Lines of problems count in the text that comes out, which
   * `weir config print` prints when it is served.
   */
  withFleet(fleetText: string): ReadResult {
    const { configFile } = this.#options;
    const parts = filePartsOf(readFileSync(configFile, 'utf8'));
    return parts === null ? { ok: false, problems: [notInBlocks(configFile)] } : this.parse(`${parts.host}\n${fleetText}\n`, null);
  }

  /** The fleet's part wins; a file that says something else has drifted. */
  #withKept(text: string, file: ReadResult): ReadResult {
    const kept = this.#options.store.getValue(FLEET_CONFIG);
    const parts = filePartsOf(text);
    if (kept === null || parts === null || parts.fleet === kept) return file;
    const read = this.withFleet(kept);
    const note =
      "the part of the file that all hosts of the fleet share says something else than the fleet has agreed on: the fleet's is served; `weir config apply FILE` changes it for all";
    return read.ok ? { ...read, note } : read;
  }

  /** Loads a text as if it stood in the config file, so that files it names are found beside it. */
  parse(text: string, applied: AppliedConfig | null): ReadResult {
    const { configFile, extensions, environment } = this.#options;
    const loaded = loadConfig({ file: configFile, text }, extensions, environment, this.#kept);
    if (!loaded.ok) return { ok: false, problems: loaded.problems.map(formatProblem) };
    const { config } = loaded;
    this.#kept = loaded.kept;
    const value = { text, config, fingerprint: fingerprintOf(config), applied, shared: null };
    if (config.redis === null) return { ok: true, value, note: null };
    const parts = filePartsOf(text);
    if (parts === null) return { ok: false, problems: [notInBlocks(configFile)] };
    return { ok: true, value: { ...value, shared: { fingerprint: fleetFingerprint(parts), text: parts.fleet } }, note: null };
  }

  /** The record of a text that is applied over the file as it is now; null: the file cannot be read, so it could not be told when it changes. */
  appliedOver(text: string, at: string): AppliedConfig | null {
    try {
      return { text, at, fileHash: textHash(readFileSync(this.#options.configFile, 'utf8')) };
    } catch {
      return null;
    }
  }
}

function notInBlocks(configFile: string): string {
  return `${configFile}: the file of a host of a fleet has its keys at the beginnings of lines, such as "clusters:", so that the part all hosts share can be told from this host's own`;
}

/** The hash of a config stands for its fleet part, which is nearly all of it. */
function fingerprintOf(config: Config): string {
  return textHash(canonicalJson({ ...config, clusters: undefined, services: undefined, routes: undefined }));
}

function textHash(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
