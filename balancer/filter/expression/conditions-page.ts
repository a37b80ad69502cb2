// The page of conditions: what they may name, call and say, made from the tables that they are checked by.
import { MOST_STEPS } from './compiled.ts';
import { FUNCTIONS } from './functions.ts';
import { REQUEST_VARIABLES } from './request-variables.ts';
import { typeText } from './values.ts';

/** Conditions with what they say; each is compiled by the tests. */
export const CONDITION_EXAMPLES: readonly (readonly [condition: string, meaning: string])[] = [
  ['claims.tier == "gold" || "vip" in consumer.tags', 'callers of one kind'],
  ['request.path.startsWith("/users/" + string(claims.sub) + "/")', 'everybody below a path of their own'],
  ['request.headers["x-tenant"] == claims.tenant', 'a field that says what the token says'],
  ['has(claims.realm) && "boss" in claims.realm.roles', 'a claim that not every token has'],
  ['claims.realm.roles.exists(role, role.startsWith("orders-"))', 'one of several'],
  ['request.method == "GET" || claims.level >= 3', 'more for some than for others'],
  ['cidr("10.0.0.0/8").containsIP(client.address)', 'from a network'],
  ['request.time.getHours("Europe/Berlin") >= 8 && request.time.getHours("Europe/Berlin") < 18', 'at a time of the day'],
  ['timestamp(claims.auth_time) > request.time - duration("15m")', 'who signed in not long ago'],
  ['request.path.matches("^/v[0-9]+/reports/") && int(request.query.limit) <= 100', 'a parameter that is not too large'],
];

export function conditionsPage(generated: string): string {
  return [
    '# Conditions',
    `Made from \`balancer/filter/expression/\`; ${generated}`,
    'A condition is an expression in [CEL](https://cel.dev), the language that Kubernetes and Envoy have for such rules. [authorize](filters/authorize.md) asks for it with `when`:',
    [
      '```yaml',
      'filters:',
      '  - authenticate: { any: [jwt: { issuers: [staff] }] }',
      '  - authorize:',
      '      rules:',
      "        - { path: /reports, when: \"claims.tier == 'gold' && request.method == 'GET'\" }",
      '```',
    ].join('\n'),
    'What a request costs of its [limits](callers.md#requests-that-cost-more-than-others) may be a number in the same language (`cost`); in `addressLimit` it may ask for `request` and `client` alone.',
    'Names, types, patterns and networks are checked when the file is, and `weir check` says where in the text something is wrong: ' +
      '`at character 1, "clams.tier == \\"gold\\"": there is no "clams"; did you mean "claims"?`',
    '## Examples',
    table(
      ['condition', 'who may'],
      CONDITION_EXAMPLES.map(([condition, meaning]) => [code(condition), meaning]),
    ),
    '## What it may name',
    table(
      ['name', 'type', 'what it is'],
      [...REQUEST_VARIABLES].map(([name, { type, summary }]) => [code(name), typeText(type), summary]),
    ),
    'Method and path are tried in every reading that an origin may have of them, as all rules are: a condition that lets a request on must hold in each.',
    '## What it may say',
    'Operators: `==` `!=` `<` `<=` `>` `>=` `in` `&&` `||` `!` `? :` `+` `-` `*` `/` `%`, members by `.name` and `["name"]`, elements by `[0]`. ' +
      'Texts in `"` or `\'`, three of them for texts with line ends, `r"…"` without escapes; numbers `1`, `0x10`, `1.5`; `true`, `false`, `null`; lists `[1, 2]`; comments behind `//`.',
    'What asks of several: `list.exists(x, …)`, `all`, `exists_one`, `filter`, `map`; on a map they go through its names. `has(claims.tier)` asks whether a member is there. ' +
      '`text.matches("…")` finds a pattern in a text, in linear time; the pattern stands there as text, and so does the network of `cidr("…").containsIP(address)`.',
    table(
      ['function', 'what comes out'],
      FUNCTIONS.map(({ example, result }) => [code(example), typeText(result)]),
    ),
    'Times are of UTC, or of the zone that is named; `getMonth` begins at 0, `getDate` at 1, `getDayOfWeek` at 0 for Sunday.',
    '## What has no value',
    'A claim, a field or a parameter that is not there, a claim of another type than what it is compared with, a division by 0, a parameter that stands there twice: the condition has no value then, and `!` of it has none either. ' +
      '`&&` and `||` are decided by one side alone where that is enough, in either order. What has no value counts against the caller, and `weir_condition_failures_total` counts it.',
    `A run has ${MOST_STEPS} steps, less than a millisecond. What takes more, as a loop within a loop over lists that a client has made long, has no value. ` +
      'An expression has at most 4,096 characters and 500 parts, which stand in each other at most 40 deep.',
    '## What is not there',
    'Of CEL: bytes, unsigned numbers, mappings and messages that are written down, `type`, `dyn`, optional values, and joining of lists. Whole numbers reach 9007199254740991, and end in no value beyond. ' +
      'Numbers of claims are compared as they are; to count with them, say which kind they are: `int(claims.level) + 1`.',
    '',
  ].join('\n\n');
}

const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
