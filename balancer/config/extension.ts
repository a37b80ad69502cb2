// How a filter or a balancing policy introduces itself to the config: the loader is handed these and knows no extension by name.
import type { TSchema } from '@sinclair/typebox';

export interface ConfigExtension {
  /** The key in the file. */
  readonly name: string;
  /** One sentence for the reference page. */
  readonly summary: string;
  /** Options as written in the file; every property has a description and, where it has one, a default. */
  readonly schema: TSchema;
  /** Why options that passed the schema cannot work all the same, in words that teach; null: they can. */
  readonly problem?: (options: unknown) => string | null;
}

export interface ConfigExtensions {
  readonly filters: readonly ConfigExtension[];
  readonly balances: readonly ConfigExtension[];
  /** Why a text is no gate of a rollout, in words that teach; null: it is one, or the name of one that the file declares. */
  readonly gateProblem: (text: string, declared: ReadonlySet<string>) => string | null;
}
