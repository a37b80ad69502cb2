// The pages of filters: what each does, an example, its options, and the answers it gives; made from the registry.
import { schemaTables } from '../config/schema-tables.ts';
import { ERRORS, type ErrorCode } from '../errors.ts';
import type { FilterDefinition } from './filter.ts';

const INDEX = 'README.md';

/** File name → Markdown: an index, and a page for each filter. */
export function filterPages(filters: readonly FilterDefinition[], generated: string): Readonly<Record<string, string>> {
  const pages: Record<string, string> = { [INDEX]: indexPage(filters, generated) };
  for (const [index, filter] of filters.entries())
    pages[pageOf(filter.name)] = filterPage(filter, [filters[index - 1], filters[index + 1]], generated);
  return pages;
}

/** As files are named here: `addressLimit` has `address-limit.md`. */
const pageOf = (name: string): string => `${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.md`;

const linkTo = ({ name }: FilterDefinition): string => `[${name}](${pageOf(name)})`;

function indexPage(filters: readonly FilterDefinition[], generated: string): string {
  const rows = filters.map((filter) => `| ${linkTo(filter)} | ${filter.summary} |`);
  return [
    '# Filters',
    `Made from \`balancer/filter/registry.ts\`; ${generated}`,
    'A route names its filters under `filters`, each at most once. They run in the order of this table, whatever the order of the file; responses pass them the other ' +
      'way round, those that weir makes itself too. A filter that a route does not use costs nothing.',
    ['| filter | what it does |', '| --- | --- |', ...rows].join('\n'),
    '',
  ].join('\n\n');
}

type Neighbours = readonly [before: FilterDefinition | undefined, after: FilterDefinition | undefined];

function filterPage(
  { name, summary, example, schema, notes = [], answers = [] }: FilterDefinition,
  beside: Neighbours,
  generated: string,
): string {
  const { table, sections } = schemaTables(name, schema);
  const inner = sections.slice(1).map((section) => section.replace('## ', '### '));
  return [
    `# ${name}`,
    `Made from the schema of the filter; ${generated}`,
    `${summary} ${placeOf(beside)}`,
    ['```yaml', 'routes:', '  - service: shop', '    filters:', `      - ${name}: ${example}`, '```'].join('\n'),
    ...notes,
    ...(table === null ? ['It has no options.'] : ['## Options', table, ...inner]),
    ...(answers.length === 0 ? [] : ['## Answers', answersTable(answers)]),
    '',
  ].join('\n\n');
}

function placeOf([before, after]: Neighbours): string {
  const places = [
    ...(before === undefined ? [] : [`after ${linkTo(before)}`]),
    ...(after === undefined ? [] : [`before ${linkTo(after)}`]),
  ];
  return places.length === 0 ? '' : `It runs ${places.join(' and ')}; see [the order](${INDEX}).`;
}

function answersTable(codes: readonly ErrorCode[]): string {
  const rows = codes.map((code) => `| ${ERRORS[code].status} | [\`${code}\`](../errors.md) | ${ERRORS[code].title} |`);
  return ['| status | code | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}
