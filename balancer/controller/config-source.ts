// Which config text is served: the local file's, or one that was applied over it since. A file that changes wins again.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { canonicalJson } from '../config/canonical-json.ts';
import type { ConfigEnvironment } from '../config/completion.ts';
import type { Config } from '../config/config.ts';
import type { ConfigExtensions } from '../config/extension.ts';
import { loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problems.ts';
import type { AppliedConfig, Store } from '../store/store.ts';

export interface ConfigSourceOptions {
  /** Absolute. */
  readonly configFile: string;
  readonly extensions: ConfigExtensions;
  readonly environment: ConfigEnvironment;
  readonly store: Pick<Store, 'appliedConfig'>;
}

/** A config with the text it was read from. */
export interface ConfigText {
  readonly text: string;
  readonly config: Config;
  /** SHA-256 of the whole config, in hex: the same text on the same host has the same. */
  readonly fingerprint: string;
  /** Null: the text is the local file's. */
  readonly applied: AppliedConfig | null;
}

/** Problems are lines `file:line:column: path: message`. */
export type ReadResult =
  | { readonly ok: true; readonly value: ConfigText; readonly note: string | null }
  | { readonly ok: false; readonly problems: readonly string[] };

export class ConfigSource {
  readonly #options: ConfigSourceOptions;

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
    const applied = store.appliedConfig();
    if (applied === null) return this.parse(text, null);
    if (applied.fileHash !== textHash(text)) {
      const read = this.parse(text, null);
      return read.ok ? { ...read, note: `the file changed after another config was applied at ${applied.at}: the file is served` } : read;
    }
    const read = this.parse(applied.text, applied);
    if (read.ok) return { ...read, note: `serving the config that was applied at ${applied.at}, not the file` };
    const file = this.parse(text, null);
    const note = `the config applied at ${applied.at} is not valid any more (${read.problems[0] ?? ''}): the file is served`;
    return file.ok ? { ...file, note } : file;
  }

  /** Loads a text as if it stood in the config file, so that files it names are found beside it. */
  parse(text: string, applied: AppliedConfig | null): ReadResult {
    const { configFile, extensions, environment } = this.#options;
    const loaded = loadConfig({ file: configFile, text }, extensions, environment);
    if (!loaded.ok) return { ok: false, problems: loaded.problems.map(formatProblem) };
    const { config } = loaded;
    return { ok: true, value: { text, config, fingerprint: fingerprintOf(config), applied }, note: null };
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

/** The hash of a config stands for its fleet part, which is nearly all of it. */
function fingerprintOf(config: Config): string {
  return textHash(canonicalJson({ ...config, clusters: undefined, services: undefined, routes: undefined }));
}

function textHash(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
