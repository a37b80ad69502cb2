// Renders the templates of a Helm chart, as far as this repository uses them: actions with trim markers, `define`, `include`, `if`, `or`,
// `hasPrefix`, `range`, `quote` and `nindent`. Anything else is an error, so that the templates stay within what is rendered here as Helm does.
type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly pipeline: string }
  | { readonly kind: 'if' | 'range'; readonly pipeline: string; readonly body: readonly Node[] }
  | { readonly kind: 'define'; readonly name: string; readonly body: readonly Node[] };

interface Scope {
  readonly dot: unknown;
  readonly root: unknown;
  readonly defined: Map<string, readonly Node[]>;
}

/** All templates with what they share; `root` is what `.` is at their top: Values, Release, Chart. Files in the order of their names. */
export function renderChart(templates: Readonly<Record<string, string>>, root: unknown): readonly string[] {
  const defined = new Map<string, readonly Node[]>();
  const scope = { dot: root, root, defined };
  const names = Object.keys(templates).sort();
  const trees = names.map((name) => parse(templates[name] ?? ''));
  for (const tree of trees) for (const node of tree) if (node.kind === 'define') defined.set(node.name, node.body);
  return names.flatMap((name, index) => (name.endsWith('.tpl') ? [] : [render(trees[index] ?? [], scope)]));
}

function parse(text: string): readonly Node[] {
  const parts = text.split(/(\{\{-?[^}]*\}\})/);
  for (let at = 1; at < parts.length; at += 2) {
    if (parts[at]?.startsWith('{{-')) parts[at - 1] = parts[at - 1]?.trimEnd() ?? '';
    if (parts[at]?.endsWith('-}}')) parts[at + 1] = parts[at + 1]?.trimStart() ?? '';
  }
  const stack: Node[][] = [[]];
  const open: ((body: readonly Node[]) => Node)[] = [];
  parts.forEach((part, index) => {
    const top = stack.at(-1) ?? [];
    if (index % 2 === 0) {
      if (part !== '') top.push({ kind: 'text', text: part });
      return;
    }
    const action = part.replace(/^\{\{-?|-?\}\}$/g, '').trim();
    const word = /^\w+/.exec(action)?.[0] ?? '';
    const rest = action.slice(word.length).trim();
    if (word === 'if' || word === 'range') open.push((body) => ({ kind: word, pipeline: rest, body }));
    else if (word === 'define') open.push((body) => ({ kind: 'define', name: JSON.parse(rest) as string, body }));
    else if (word === 'end') {
      const body = stack.pop() ?? [];
      const make = open.pop();
      if (make === undefined) throw new Error('an end without a beginning');
      stack.at(-1)?.push(make(body));
      return;
    } else {
      top.push({ kind: 'value', pipeline: action });
      return;
    }
    stack.push([]);
  });
  if (open.length > 0) throw new Error('a beginning without an end');
  return stack[0] ?? [];
}

function render(nodes: readonly Node[], scope: Scope): string {
  return nodes.map((node) => renderNode(node, scope)).join('');
}

function renderNode(node: Node, scope: Scope): string {
  switch (node.kind) {
    case 'text':
      return node.text;
    case 'value':
      return print(evaluate(node.pipeline, scope));
    case 'if':
      return isTrue(evaluate(node.pipeline, scope)) ? render(node.body, scope) : '';
    case 'range': {
      const list = evaluate(node.pipeline, scope);
      if (!Array.isArray(list)) throw new Error(`${node.pipeline} is no list`);
      return list.map((dot: unknown) => render(node.body, { ...scope, dot })).join('');
    }
    case 'define':
      return '';
  }
}

function evaluate(pipeline: string, scope: Scope): unknown {
  const [first = '', ...rest] = pipeline.split('|').map((part) => part.trim());
  return rest.reduce((value, part) => call(part, scope, [value]), call(first, scope, []));
}

function call(text: string, scope: Scope, piped: readonly unknown[]): unknown {
  const [head = '', ...words] = text.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  if (!/^[a-z]\w*$/i.test(head)) return operand(head, scope);
  const given = [...words.map((word) => operand(word, scope)), ...piped];
  switch (head) {
    case 'quote':
      return JSON.stringify(print(given[0]));
    case 'nindent':
      return `\n${print(given[1]).replace(/^/gm, ' '.repeat(Number(given[0])))}`;
    case 'or':
      return given.find(isTrue) ?? given.at(-1);
    case 'hasPrefix':
      return print(given[1]).startsWith(print(given[0]));
    case 'include':
      return render(scope.defined.get(print(given[0])) ?? missing(head, print(given[0])), { ...scope, dot: given[1] });
    default:
      return missing('function', head);
  }
}

function operand(word: string, { dot, root }: Scope): unknown {
  if (word.startsWith('"')) return JSON.parse(word);
  if (/^\d+$/.test(word)) return Number(word);
  const path = /^(\$?)((?:\.\w+)*)\.?$/.exec(word);
  if (path === null) return missing('operand', word);
  const names = (path[2] ?? '').split('.').filter((name) => name !== '');
  return names.reduce<unknown>(
    (value, name) => {
      if (typeof value !== 'object' || value === null) return missing('field', word);
      return Reflect.get(value, name);
    },
    path[1] === '$' ? root : dot,
  );
}

/** What is not there prints as Go does: a mistake that shows. */
function print(value: unknown): string {
  if (value === undefined || value === null) return '<no value>';
  // fmt.Sprint of a float64, which all numbers of values are.
  if (typeof value === 'number' && (value >= 1e6 || (value !== 0 && value < 1e-4))) return value.toExponential();
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function isTrue(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function missing(what: string, name: string): never {
  throw new Error(`the ${what} ${name} is not known to test/support/helm-template.ts`);
}
