// How a filter or a balancing policy introduces itself to the config: the loader is handed these and knows no extension by name.
import type { Schema } from '../schema/type.ts';
import type { SecretReference } from './config.ts';
import type { ValuePath } from './problems.ts';

/** A limit as the file writes it. */
export interface DeclaredLimit {
  readonly by: readonly string[];
  /** Whether it counts requests at once. */
  readonly isOfThoseAtOnce: boolean;
  /** That may pass at once, whatever plans say; Infinity: what is written is no number. */
  readonly most: number;
}

/** What an extension may ask while its options are made complete; paths begin at its options. */
export interface OptionsPlace {
  readonly consumers: ReadonlySet<string>;
  readonly issuers: ReadonlySet<string>;
  /** As far as they can be read. */
  readonly limits: ReadonlyMap<string, DeclaredLimit>;
  /** A database of where addresses are is declared. */
  readonly hasLocations: boolean;
  report(path: ValuePath, message: string): void;
  /** Null: it is not said where the secret is, which is reported. */
  secret(path: ValuePath, where: { readonly file?: string; readonly env?: string }): SecretReference | null;
  /** The absolute path of a file that must be there. */
  readableFile(path: ValuePath, file: string): string;
  /** What stands in a file, by its absolute path. Null: it cannot be read, or nobody reads files here. */
  textOf(file: string): string | null;
}

export interface ConfigExtension {
  /** The key in the file. */
  readonly name: string;
  /** One sentence for the reference page. */
  readonly summary: string;
  /** Options as written in the file; every property has a description and, where it has one, a default. */
  readonly schema: Schema;
  /** Why options that passed the schema cannot work all the same, in words that teach; null: they can. */
  readonly problem?: (options: unknown) => string | null;
  /** Paths that it answers itself, by the names of options: a route that has it must take each. */
  readonly ownPaths?: (options: unknown) => Readonly<Record<string, string>>;
  /** Options that passed the schema → options as the extension is made with them: plain JSON, numbers for durations, files absolute. */
  readonly complete?: (options: unknown, place: OptionsPlace) => unknown;
}

export interface ConfigExtensions {
  readonly filters: readonly ConfigExtension[];
  readonly balances: readonly ConfigExtension[];
  /** Why a text is no gate of a rollout, in words that teach; null: it is one, or the name of one that the file declares. */
  readonly gateProblem: (text: string, declared: ReadonlySet<string>) => string | null;
}
