// What is to be done at which places of a JSON text, and how far each way there has been gone.
import { folded, type Pointer, type PointerToken } from './pointer.ts';

export type Edit<S> =
  | { readonly kind: 'remove' | 'mask'; readonly at: Pointer }
  | { readonly kind: 'rename'; readonly at: Pointer; readonly to: string }
  | { readonly kind: 'set'; readonly at: Pointer; readonly when: 'always' | 'absent' | 'present'; readonly valueFor: (from: S) => string };

export type SetEdit<S> = Extract<Edit<S>, { kind: 'set' }>;

/** A way that is still open: the next step of the edit is the token `next`. */
export interface Way<S> {
  readonly edit: Edit<S>;
  readonly next: number;
}

/** A place as far as edits go: what is done there, and what may be below. Of each there is one, however often it is come to. */
export interface Step<S> {
  /** Below here. */
  readonly ways: readonly Way<S>[];
  /** Of this very place. */
  readonly here: readonly Edit<S>[];
  /** Names that members get by being renamed, folded; null: none does. */
  readonly renamed: ReadonlySet<string> | null;
  /** Names that lead further than others do, folded, with where to. */
  readonly byName: Map<string, Step<S> | null>;
  /** Bytes of these names; null: names in another case are meant too. */
  readonly lengths: ReadonlySet<number> | null;
  readonly byIndex: Map<number, Step<S> | null>;
  /** Something is done to members whatever they are called. */
  readonly anyHere: boolean;
  /** A value may be set here that has not come. */
  readonly adds: boolean;
  /** Where every other name or index leads; null: not known yet. */
  other: Step<S> | null;
}

export class Edits<S> {
  readonly #ignoreCase: boolean;
  /** By their ways. */
  readonly #steps = new Map<string, Step<S>>();
  readonly #edits: readonly Edit<S>[];
  /** Of the whole text. */
  readonly root: Step<S>;

  constructor(edits: readonly Edit<S>[], ignoreCase: boolean) {
    this.#edits = edits;
    this.#ignoreCase = ignoreCase;
    this.root = this.#gathered(edits.map((edit) => ({ edit, next: 0 })));
  }

  member(from: Step<S>, name: string): Step<S> {
    const sought = this.fold(name);
    const known = from.byName.get(sought);
    if (known === undefined) return this.other(from);
    if (known !== null) return known;
    const step = this.#advanced(from, (token) => this.fold(token.name) === sought);
    from.byName.set(sought, step);
    return step;
  }

  element(from: Step<S>, index: number): Step<S> {
    const known = from.byIndex.size === 0 ? undefined : from.byIndex.get(index);
    if (known === undefined) return this.other(from);
    if (known !== null) return known;
    const step = this.#advanced(from, (token) => token.index === index);
    from.byIndex.set(index, step);
    return step;
  }

  /** A name or index that no edit names. */
  other(from: Step<S>): Step<S> {
    return (from.other ??= this.#advanced(from, () => false));
  }

  both(one: Step<S>, other: Step<S>): Step<S> {
    return this.#step([...one.ways, ...other.ways.filter((way) => !has(one.ways, way))], [...new Set([...one.here, ...other.here])]);
  }

  /** Names that a reader takes for one have one folded form. */
  fold(name: string): string {
    return this.#ignoreCase ? folded(name) : name;
  }

  /** A way to any depth stays open besides. */
  #advanced({ ways }: Step<S>, isNamed: (token: Extract<PointerToken, { kind: 'name' }>) => boolean): Step<S> {
    return this.#gathered(
      ways.flatMap((way) => {
        const token = way.edit.at[way.next];
        if (token === undefined) return [];
        if (token.kind === 'deep') return [way];
        return token.kind === 'each' || isNamed(token) ? [{ edit: way.edit, next: way.next + 1 }] : [];
      }),
    );
  }

  /** Any number of levels may be none. */
  #gathered(ways: readonly Way<S>[]): Step<S> {
    const open: Way<S>[] = [];
    const here: Edit<S>[] = [];
    for (const { edit, next } of ways) {
      let at = next;
      for (; edit.at[at]?.kind === 'deep'; at += 1) if (!has(open, { edit, next: at })) open.push({ edit, next: at });
      if (at === edit.at.length) here.push(edit);
      else if (!has(open, { edit, next: at })) open.push({ edit, next: at });
    }
    return this.#step(open, here);
  }

  #step(ways: readonly Way<S>[], here: readonly Edit<S>[]): Step<S> {
    const numberOf = (edit: Edit<S>): number => this.#edits.indexOf(edit);
    const key = `${ways.map(({ edit, next }) => `${numberOf(edit)}.${next}`).join(' ')}/${here.map(numberOf).join(' ')}`;
    const known = this.#steps.get(key);
    if (known !== undefined) return known;
    const names = ways.flatMap(({ edit, next }) => {
      const token = edit.at[next];
      return token?.kind === 'name' ? [token] : [];
    });
    const renamed = ways.flatMap(({ edit, next }) => (edit.kind === 'rename' && next === edit.at.length - 1 ? [this.fold(edit.to)] : []));
    const told = [...names.map(({ name }) => name), ...renamed];
    const step: Step<S> = {
      ...{ ways, here, other: null, renamed: renamed.length === 0 ? null : new Set(renamed) },
      anyHere: ways.some(({ edit, next }) => next === edit.at.length - 1 && edit.at[next]?.kind === 'each'),
      adds: ways.some(({ edit, next }) => edit.kind === 'set' && edit.when !== 'present' && next === edit.at.length - 1),
      byName: new Map(names.map(({ name }) => [this.fold(name), null])),
      lengths: this.#ignoreCase ? null : new Set(told.map((name) => Buffer.byteLength(name))),
      byIndex: new Map(names.filter(({ index }) => index >= 0).map(({ index }) => [index, null])),
    };
    this.#steps.set(key, step);
    return step;
  }
}

const has = <S>(ways: readonly Way<S>[], { edit, next }: Way<S>): boolean => ways.some((way) => way.edit === edit && way.next === next);
