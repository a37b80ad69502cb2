// Trees into functions: every name, type and pattern is checked here, when the file is read, and not with the first request.
import { compilePattern } from '../../config/pattern/linear-regex.ts';
import { isAddressBlock } from '../../config/addresses.ts';
import { nearest } from '../../config/nearest.ts';
import { AddressTable } from '../../message/address-table.ts';
import { charge, stepsOfText, TOO_COSTLY, type Compiled, type Variables } from './compiled.ts';
import { ExpressionError } from './expression-error.ts';
import { FUNCTIONS, type FunctionDefinition } from './functions.ts';
import { compileMacro, MACROS, type Local } from './macros.ts';
import { compileBinary } from './operators.ts';
import type { Tree } from './syntax.ts';
import { BOOL, DYN, Failed, fits, isList, isObject, kindOf, listType, memberOf, typeText, type ValueType } from './values.ts';

export interface Scope<S> {
  readonly source: string;
  readonly variables: Variables<S>;
  /** Of macros around it, the innermost last. */
  readonly locals: readonly Local[];
}

const textOf = ({ source }: Pick<Scope<never>, 'source'>, { at, end }: Tree): string => source.slice(at, end);

/** Throws an ExpressionError. */
export function compileTree<S>(tree: Tree, scope: Scope<S>): Compiled<S> {
  switch (tree.kind) {
    case 'literal': {
      const { value } = tree;
      return { type: { kind: tree.type }, steps: 1, run: () => value };
    }
    case 'name':
      return compileName(tree, scope);
    case 'list':
      return compileList(tree, scope);
    case 'member':
      return compileMember(tree, scope);
    case 'index':
      return compileIndex(tree, scope);
    case 'call':
      return MACROS.has(tree.name) ? compileMacro(tree, scope, compileTree) : compileCall(tree, scope);
    case 'unary':
      return compileUnary(tree, scope);
    case 'binary': {
      const sides = { left: compileTree(tree.left, scope), right: compileTree(tree.right, scope) };
      return compileBinary(tree.sign, { ...sides, text: textOf(scope, tree), at: tree.at });
    }
    case 'choice':
      return compileChoice(tree, scope);
  }
}

type Kind<K extends Tree['kind']> = Extract<Tree, { kind: K }>;

function compileName<S>({ name, at }: Kind<'name'>, { locals, variables }: Scope<S>): Compiled<S> {
  const index = locals.findLastIndex((local) => local.name === name);
  const local = locals[index];
  if (local !== undefined) return { type: local.type, steps: 1, run: ({ locals: values }) => values[index] };
  const variable = variables.get(name);
  if (variable !== undefined) return { type: variable.type, steps: 1, run: ({ from }) => variable.read(from) };
  const members = membersOf(name, variables);
  if (members.length > 0) throw new ExpressionError(at, `"${name}" is no value of its own; expected ${oneOf(members)}`);
  const roots = [...new Set([...variables.keys()].map((known) => known.split('.', 1)[0] ?? '')), ...locals.map((one) => one.name)];
  throw new ExpressionError(at, `there is no "${name}"; ${guess(name, roots)}`);
}

const membersOf = <S>(name: string, variables: Variables<S>): readonly string[] =>
  [...variables.keys()].filter((known) => known.startsWith(`${name}.`));

const oneOf = (names: readonly string[]): string => (names.length > 1 ? `one of ${names.join(', ')}` : (names[0] ?? 'nothing'));

function guess(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === null ? `expected ${oneOf(known)}` : `did you mean "${near}"?`;
}

function compileList<S>({ items }: Kind<'list'>, scope: Scope<S>): Compiled<S> {
  const compiled = items.map((item) => compileTree(item, scope));
  const [first] = compiled;
  const isOfOneType = first !== undefined && compiled.every(({ type }) => fits(type, first.type));
  const type = listType(isOfOneType ? first.type : DYN);
  if (items.every(({ kind }) => kind === 'literal')) {
    const fixed = items.map((item) => (item.kind === 'literal' ? item.value : null));
    return { type, steps: 1, run: () => fixed };
  }
  const runs = compiled.map(({ run }) => run);
  return {
    type,
    steps: compiled.reduce((sum, { steps }) => sum + steps, 1),
    run(frame) {
      const values: unknown[] = [];
      for (const run of runs) {
        const value = run(frame);
        if (value instanceof Failed) return value;
        values.push(value);
      }
      return values;
    },
  };
}

/** `request.method` as one name; null: it is a member of a value. */
export function dottedName<S>(tree: Tree, scope: Scope<S>): string | null {
  if (tree.kind === 'name') return scope.locals.some(({ name }) => name === tree.name) ? null : tree.name;
  if (tree.kind !== 'member') return null;
  const of = dottedName(tree.of, scope);
  return of === null ? null : `${of}.${tree.name}`;
}

function compileMember<S>(tree: Kind<'member'>, scope: Scope<S>): Compiled<S> {
  const whole = dottedName(tree, scope);
  const variable = whole === null ? undefined : scope.variables.get(whole);
  if (variable !== undefined) return { type: variable.type, steps: 1, run: ({ from }) => variable.read(from) };
  const family = dottedName(tree.of, scope);
  const known = family === null || scope.variables.has(family) ? [] : membersOf(family, scope.variables);
  if (known.length > 0) throw new ExpressionError(tree.at, `there is no "${whole ?? ''}"; ${guess(whole ?? '', known)}`);
  return member(compileTree(tree.of, scope), tree.name, { text: textOf(scope, tree), at: tree.at });
}

function member<S>(
  { type, steps, run }: Compiled<S>,
  name: string,
  { text, at }: { readonly text: string; readonly at: number },
): Compiled<S> {
  if (type.kind !== 'map' && type.kind !== 'dyn') throw new ExpressionError(at, `a ${typeText(type)} has no member "${name}"`);
  const missing = new Failed('missing', `${text} is not there`);
  return {
    type: 'of' in type ? type.of : DYN,
    steps: steps + 1,
    run(frame) {
      const of = run(frame);
      if (of instanceof Failed) return of;
      return isObject(of) ? there(memberOf(of, name), missing) : new Failed('type', `${text}: a ${kindOf(of)} has no members`);
    },
  };
}

/** A null of JSON is there. */
const there = (value: unknown, missing: Failed): unknown => (value === undefined ? missing : value);

function compileIndex<S>(tree: Kind<'index'>, scope: Scope<S>): Compiled<S> {
  const of = compileTree(tree.of, scope);
  const index = compileTree(tree.index, scope);
  const text = textOf(scope, tree);
  const { type } = of;
  if (type.kind !== 'map' && type.kind !== 'dyn' && type.kind !== 'list')
    throw new ExpressionError(tree.at, `a ${typeText(type)} has no parts; expected a list or a map before [`);
  const wanted = { map: 'string', list: 'int', dyn: index.type.kind }[type.kind];
  if (index.type.kind !== 'dyn' && index.type.kind !== wanted)
    throw new ExpressionError(
      tree.index.at,
      `expected ${wanted === 'int' ? 'an int' : 'a string'} between [ and ], and not a ${typeText(index.type)}`,
    );
  const [ofRun, indexRun] = [of.run, index.run];
  const missing = new Failed('missing', `${text} is not there`);
  return {
    type: 'of' in type ? type.of : DYN,
    steps: of.steps + index.steps + 1,
    run(frame) {
      const whole = ofRun(frame);
      if (whole instanceof Failed) return whole;
      const at = indexRun(frame);
      if (at instanceof Failed) return at;
      if (isList(whole) && typeof at === 'number') return there(whole[at], missing);
      if (isObject(whole) && typeof at === 'string') return there(memberOf(whole, at), missing);
      return new Failed('type', `${text}: a ${kindOf(whole)} has no part named by a ${kindOf(at)}`);
    },
  };
}

function compileUnary<S>(tree: Kind<'unary'>, scope: Scope<S>): Compiled<S> {
  const { type, steps, run } = compileTree(tree.of, scope);
  const isNot = tree.sign === '!';
  const isGood = isNot ? type.kind === 'bool' || type.kind === 'dyn' : type.kind === 'int' || type.kind === 'double';
  if (!isGood)
    throw new ExpressionError(tree.at, `${tree.sign} stands before a ${typeText(type)}; expected a ${isNot ? 'condition' : 'number'}`);
  return {
    type: isNot ? BOOL : type,
    steps: steps + 1,
    run(frame) {
      const value = run(frame);
      if (value instanceof Failed) return value;
      if (isNot) return typeof value === 'boolean' ? !value : new Failed('type', `! stands before a ${kindOf(value)}`);
      return typeof value === 'number' ? 0 - value : new Failed('type', `- stands before a ${kindOf(value)}`);
    },
  };
}

function compileChoice<S>(tree: Kind<'choice'>, scope: Scope<S>): Compiled<S> {
  const [condition, yes, no] = [compileTree(tree.condition, scope), compileTree(tree.yes, scope), compileTree(tree.no, scope)];
  if (condition.type.kind !== 'bool' && condition.type.kind !== 'dyn')
    throw new ExpressionError(tree.condition.at, `expected a condition before ?, and not a ${typeText(condition.type)}`);
  if (!fits(yes.type, no.type))
    throw new ExpressionError(
      tree.no.at,
      `a ${typeText(yes.type)} on one side of : and a ${typeText(no.type)} on the other; expected the same on both`,
    );
  return {
    type: yes.type.kind === 'dyn' ? no.type : yes.type,
    steps: condition.steps + Math.max(yes.steps, no.steps) + 1,
    run(frame) {
      const value = condition.run(frame);
      if (value instanceof Failed) return value;
      if (typeof value !== 'boolean') return new Failed('type', 'what stands before ? is neither true nor false');
      return value ? yes.run(frame) : no.run(frame);
    },
  };
}

function compileCall<S>(tree: Kind<'call'>, scope: Scope<S>): Compiled<S> {
  if (tree.name === 'matches' && tree.on !== null) return compileMatches(tree, tree.on, scope);
  if (tree.name === 'containsIP' && tree.on !== null) return compileContains(tree, tree.on, scope);
  const named = FUNCTIONS.filter(({ name }) => name === tree.name);
  const fitting = named.filter(({ form }) => form === 'both' || (form === 'method') === (tree.on !== null));
  if (fitting.length === 0) throw new ExpressionError(tree.at, unknownFunction(tree, named));
  const args = [...(tree.on === null ? [] : [tree.on]), ...tree.args].map((arg) => compileTree(arg, scope));
  const candidates = fitting.filter(
    (one) => one.args.length === args.length && one.args.every((type, index) => fits(type, args[index]?.type ?? DYN)),
  );
  const [only] = candidates;
  if (only === undefined) {
    const given = args.map(({ type }) => typeText(type)).join(', ') || 'nothing';
    throw new ExpressionError(
      tree.at,
      `${tree.name} does not take ${given}; for example ${fitting.map(({ example }) => example).join(', ')}`,
    );
  }
  return { type: only.result, steps: args.reduce((sum, { steps }) => sum + steps, 1), run: calling(tree.name, candidates, args) };
}

function unknownFunction({ name, on }: Kind<'call'>, named: readonly FunctionDefinition[]): string {
  const [other] = named;
  if (other !== undefined) return `"${name}" is called another way: ${other.example}`;
  if (name === 'cidr') return 'a network is only asked whether it holds an address: cidr("10.0.0.0/8").containsIP(client.address)';
  const known = FUNCTIONS.filter(({ form }) => form === 'both' || (form === 'method') === (on !== null)).map((one) => one.name);
  const special = on === null ? ['has', 'cidr'] : [...MACROS, 'matches'].filter((one) => one !== 'has');
  return `there is no ${on === null ? 'function' : 'method'} "${name}"; ${guess(name, [...new Set([...known, ...special])])}`;
}

/** Which of several it is, may only be known from the value. */
function calling<S>(name: string, candidates: readonly FunctionDefinition[], args: readonly Compiled<S>[]): Compiled<S>['run'] {
  const runs = args.map(({ run }) => run);
  return (frame) => {
    const values: unknown[] = [];
    for (const run of runs) {
      const value = run(frame);
      if (value instanceof Failed) return value;
      values.push(value);
    }
    for (const { args: types, act } of candidates) if (types.every((type, index) => isOf(values[index], type))) return act(values, frame);
    return new Failed('type', `${name} does not take ${values.map(kindOf).join(', ')}`);
  };
}

function isOf(value: unknown, { kind }: ValueType): boolean {
  if (kind === 'dyn') return true;
  const met = kindOf(value);
  return met === 'number' ? kind === 'int' || kind === 'double' : met === kind;
}

/** As RE2 and so CEL: it fits where a part of the text does. The pattern is made ready here, and takes linear time. */
function compileMatches<S>(tree: Kind<'call'>, on: Tree, scope: Scope<S>): Compiled<S> {
  const { type, steps, run } = compileTree(on, scope);
  const [pattern] = tree.args;
  if (!fits(type, { kind: 'string' })) throw new ExpressionError(tree.at, `matches looks at strings, and this is a ${typeText(type)}`);
  if (tree.args.length !== 1 || pattern?.kind !== 'literal' || typeof pattern.value !== 'string')
    throw new ExpressionError(
      pattern?.at ?? tree.at,
      'the pattern of matches must stand there as text: request.path.matches("^/v[0-9]+/")',
    );
  // With a problem of its own, which does not tell of what is put around it.
  const alone = compilePattern(pattern.value);
  const found = alone.ok ? compilePattern(`[^]*(?:${pattern.value})[^]*`) : alone;
  if (!found.ok) throw new ExpressionError(pattern.at, found.problem);
  const { regex } = found;
  return {
    type: BOOL,
    steps: steps + 1,
    run(frame) {
      const text = run(frame);
      if (text instanceof Failed) return text;
      if (typeof text !== 'string') return new Failed('type', `matches looks at strings, and this is a ${kindOf(text)}`);
      return charge(frame, stepsOfText(text.length)) ? regex.test(text) : TOO_COSTLY;
    },
  };
}

/** `cidr("10.0.0.0/8").containsIP(client.address)`, as Kubernetes has it. */
function compileContains<S>(tree: Kind<'call'>, on: Tree, scope: Scope<S>): Compiled<S> {
  const block = on.kind === 'call' && on.name === 'cidr' && on.on === null && on.args.length === 1 ? on.args[0] : undefined;
  if (block?.kind !== 'literal' || typeof block.value !== 'string')
    throw new ExpressionError(
      on.at,
      'containsIP is asked of a network that stands there as text: cidr("10.0.0.0/8").containsIP(client.address)',
    );
  if (!isAddressBlock(block.value)) throw new ExpressionError(block.at, `"${block.value}" is no network; expected for example 10.0.0.0/8`);
  const [only, ...more] = tree.args.map((arg) => compileTree(arg, scope));
  if (only === undefined || more.length > 0 || !fits(only.type, { kind: 'string' }))
    throw new ExpressionError(tree.at, 'containsIP takes an address: cidr("10.0.0.0/8").containsIP(client.address)');
  const table = new AddressTable({ [block.value]: block.value });
  return {
    type: BOOL,
    steps: only.steps + 1,
    run(frame) {
      const address = only.run(frame);
      if (address instanceof Failed) return address;
      return typeof address === 'string'
        ? table.find(address) !== null
        : new Failed('type', `an address is a string, and not a ${kindOf(address)}`);
    },
  };
}
