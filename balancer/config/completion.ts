// What the steps from the checked file to the complete config share: where findings go, what the file declares, how paths of files resolve.
import type { RouteConfig, SecretReference } from './config.ts';
import { resolve } from 'node:path';
import type { ConfigExtensions, DeclaredLimit } from './extension.ts';
import type { Finding, ValuePath } from './problems.ts';

/** What the program knows and the file does not say; handed in, so that loading stays pure. */
export interface ConfigEnvironment {
  readonly cores: number;
  readonly hostName: string;
  /** Whether the file at this absolute path can be read. */
  readonly readable: (path: string) => boolean;
  /** What stands in it; null: it cannot be read. Absent: nobody looks into files. */
  readonly textOf?: (path: string) => string | null;
}

/** Names as written, also of things whose own values are wrong: a reference to them is no second problem. */
export interface DeclaredNames {
  readonly listeners: ReadonlySet<string>;
  readonly clusters: ReadonlySet<string>;
  readonly services: ReadonlySet<string>;
  readonly gates: ReadonlySet<string>;
  readonly consumers: ReadonlySet<string>;
  readonly issuers: ReadonlySet<string>;
  readonly plans: ReadonlySet<string>;
  /** As far as they can be read. */
  readonly limits: ReadonlyMap<string, DeclaredLimit>;
  readonly hasLocations: boolean;
  /** Whether the host is one of a fleet. */
  readonly hasRedis: boolean;
}

/** Routes by what the file says of them. What stands in files beside it is looked at each time, so that routes which name such files are not in here. */
export type CompletedRoutes = WeakMap<object, RouteConfig>;

export class Completion {
  readonly extensions: ConfigExtensions;
  readonly environment: ConfigEnvironment;
  readonly declared: DeclaredNames;
  readonly isBroken: (entry: ValuePath) => boolean;
  /** What became of routes when all but routes was the same. */
  readonly known: CompletedRoutes | null;
  readonly completed: CompletedRoutes = new WeakMap();
  readonly #directory: string;
  readonly #findings: Finding[] = [];
  readonly #touched: ReadonlySet<string>;
  #filesNamed = 0;

  constructor(options: {
    readonly extensions: ConfigExtensions;
    readonly environment: ConfigEnvironment;
    readonly declared: DeclaredNames;
    readonly isBroken: (entry: ValuePath) => boolean;
    readonly directory: string;
    readonly misfits: readonly Finding[];
    readonly known: CompletedRoutes | null;
  }) {
    this.extensions = options.extensions;
    this.environment = options.environment;
    this.declared = options.declared;
    this.isBroken = options.isBroken;
    this.known = options.known;
    this.#directory = options.directory;
    this.#touched = new Set(options.misfits.flatMap(({ path }) => path.map((_, depth) => path.slice(0, depth + 1).join('\0'))));
  }

  /** Rises with each file that the config names. */
  get filesNamed(): number {
    return this.#filesNamed;
  }

  get findings(): readonly Finding[] {
    return this.#findings;
  }

  report(path: ValuePath, message: string): void {
    this.#findings.push({ path, message });
  }

  /** The problem is the name itself. */
  reportKey(path: ValuePath, message: string): void {
    this.#findings.push({ path, message, atKey: true });
  }

  /** Whether something was taken out at or below the path: checks that compare its parts would see what nobody wrote. */
  isTouched(path: ValuePath): boolean {
    return this.#touched.size > 0 && this.#touched.has(path.join('\0'));
  }

  /** The entries of a mapping of named things that can be used. */
  usable<T>(part: string, entries: Readonly<Record<string, T>>): readonly (readonly [name: string, value: T])[] {
    return Object.entries(entries).filter(([name]) => !this.isBroken([part, name]));
  }

  absolutePath(file: string): string {
    return resolve(this.#directory, file);
  }

  /** Null: it is not said where the secret is, which is reported. */
  secret(path: ValuePath, { file, env }: { readonly file?: string; readonly env?: string }): SecretReference | null {
    if (file !== undefined && env === undefined) return { file: this.readableFile([...path, 'file'], file) };
    if (env !== undefined && file === undefined) return { env };
    this.report(path, 'expected where the secret is, either { file: … } or { env: … }');
    return null;
  }

  /** The absolute path of a file that must be there. */
  readableFile(path: ValuePath, file: string): string {
    const absolute = this.absolutePath(file);
    this.#filesNamed += 1;
    if (!this.environment.readable(absolute))
      this.report(path, `${absolute} cannot be read; expected a file that the user weir runs as may read`);
    return absolute;
  }
}
