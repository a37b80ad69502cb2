// The JSON Schema of what `-o json` prints, read out of the types that the appliance and the command share. By syntax alone: no types are worked out.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

type JsonSchema = Readonly<Record<string, unknown>>;

const ROOT = join(import.meta.dirname, '..', '..');
/** Where the views and what they are made of are declared. */
const FILES: readonly string[] = [
  ...readdirSync(join(ROOT, 'balancer/controller/api'))
    .filter((file) => /view/.test(file))
    .map((file) => `balancer/controller/api/${file}`),
  ...['balancer/controller/appliance.ts', 'balancer/intent/intent.ts', 'balancer/steer/plan-shape.ts', 'balancer/steer/failback.ts'],
  ...['balancer/controller/drill/report.ts', 'balancer/ipc-life-cycle.ts', 'tui/doctor.ts'],
];

/** The type of each item, by the `kind` that stands above the items. */
const KINDS: Readonly<Record<string, string>> = {
  ...{
    status: 'StatusView',
    clusters: 'ClusterView',
    services: 'ServiceView',
    routes: 'RouteView',
    workers: 'WorkerView',
    edges: 'EdgeView',
  },
  ...{
    agents: 'AgentView',
    events: 'EventView',
    revisions: 'Revision',
    rollouts: 'RolloutView',
    approvals: 'ApprovalView',
    local: 'LocalView',
  },
  ...{ drills: 'DrillReport', tokens: 'TokenView', changes: 'ChangeResult', differences: 'FieldDifference', results: 'ResultsView' },
  ...{ consumers: 'ConsumerView', quotas: 'QuotaView', cache: 'CacheView', renewals: 'Renewal', findings: 'Finding' },
};

type Declaration = ts.InterfaceDeclaration | ts.TypeAliasDeclaration;

function declarations(): ReadonlyMap<string, Declaration> {
  const found = new Map<string, Declaration>();
  for (const file of FILES) {
    const source = ts.createSourceFile(file, readFileSync(join(ROOT, file), 'utf8'), ts.ScriptTarget.ES2024, true);
    source.forEachChild((node) => {
      if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) found.set(node.name.text, node);
    });
  }
  return found;
}

/** With every kind of list as one of `oneOf`, told apart by `kind`. */
export function outputSchema(): JsonSchema {
  const declared = declarations();
  const used = new Map<string, JsonSchema>();
  const use = (name: string): JsonSchema => {
    const declaration = declared.get(name);
    if (declaration === undefined || (declaration.typeParameters?.length ?? 0) > 0) return {};
    if (!used.has(name)) {
      used.set(name, {});
      used.set(name, ts.isInterfaceDeclaration(declaration) ? ofInterface(declaration, use) : ofType(declaration.type, use));
    }
    return { $ref: `#/$defs/${name}` };
  };
  const oneOf = Object.entries(KINDS).map(([kind, type]) => ({
    type: 'object',
    required: ['kind', 'revision', 'items'],
    properties: { kind: { const: kind }, revision: { type: 'number' }, items: { type: 'array', items: use(type) } },
  }));
  const $defs = Object.fromEntries([...used].sort(([one], [other]) => (one < other ? -1 : 1)));
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'What weir prints with -o json', oneOf, $defs };
}

type Use = (name: string) => JsonSchema;

function ofInterface(declaration: ts.InterfaceDeclaration, use: Use): JsonSchema {
  const parents = declaration.heritageClauses?.flatMap(({ types }) => types.map(({ expression }) => use(expression.getText()))) ?? [];
  const own = ofMembers(declaration.members, use);
  return parents.length === 0 ? own : { allOf: [...parents, own] };
}

/** Fields may be added: whoever reads must not be surprised by more. */
function ofMembers(members: readonly ts.TypeElement[], use: Use): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  for (const member of members) {
    if (!ts.isPropertySignature(member) || member.type === undefined) continue;
    const name = member.name.getText().replaceAll(/^['"]|['"]$/g, '');
    properties[name] = ofType(member.type, use);
    if (member.questionToken === undefined) required.push(name);
  }
  return { type: 'object', properties, required };
}

const KEYWORDS: ReadonlyMap<ts.SyntaxKind, JsonSchema> = new Map([
  [ts.SyntaxKind.StringKeyword, { type: 'string' }],
  [ts.SyntaxKind.NumberKeyword, { type: 'number' }],
  [ts.SyntaxKind.BooleanKeyword, { type: 'boolean' }],
]);

function ofType(type: ts.TypeNode, use: Use): JsonSchema {
  const keyword = KEYWORDS.get(type.kind);
  if (keyword !== undefined) return keyword;
  if (ts.isParenthesizedTypeNode(type)) return ofType(type.type, use);
  if (ts.isTypeOperatorNode(type)) return ofType(type.type, use);
  if (ts.isArrayTypeNode(type)) return { type: 'array', items: ofType(type.elementType, use) };
  if (ts.isTypeLiteralNode(type)) return ofMembers([...type.members], use);
  if (ts.isLiteralTypeNode(type)) return ofLiteral(type.literal);
  if (ts.isUnionTypeNode(type)) return ofUnion(type.types.map((each) => ofType(each, use)));
  if (ts.isIntersectionTypeNode(type)) return { allOf: type.types.map((each) => ofType(each, use)) };
  return ts.isTypeReferenceNode(type) ? ofReference(type, use) : {};
}

function ofLiteral(literal: ts.LiteralTypeNode['literal']): JsonSchema {
  if (literal.kind === ts.SyntaxKind.NullKeyword) return { type: 'null' };
  if (ts.isStringLiteral(literal)) return { const: literal.text };
  return { const: JSON.parse(literal.getText()) as unknown };
}

function ofUnion(types: readonly JsonSchema[]): JsonSchema {
  const words = types.flatMap((type) => ('const' in type ? [type['const']] : []));
  return words.length === types.length ? { enum: words } : { anyOf: types };
}

/** Of the helpers of TypeScript those that the views are written with; what only narrows a type is taken as anything. */
function ofReference({ typeName, typeArguments = ts.factory.createNodeArray() }: ts.TypeReferenceNode, use: Use): JsonSchema {
  const name = typeName.getText();
  const [first, second] = typeArguments;
  if (name === 'Readonly' && first !== undefined) return ofType(first, use);
  if (name === 'Record' && second !== undefined) return { type: 'object', additionalProperties: ofType(second, use) };
  return use(name);
}
