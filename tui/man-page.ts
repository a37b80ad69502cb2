// Manual pages from the tree of commands: the same data as the help, as roff (man-pages(7), groff_man(7)).
import type { ArgumentSpec, CommandDefinition, OptionSpec } from './command.ts';

export interface ManPage {
  /** `weir-canary-start` */
  readonly name: string;
  readonly summary: string;
  readonly definition: CommandDefinition;
  readonly version: string;
}

/** A backslash begins an escape, and a dot or an apostrophe at the beginning of a line a request. */
function text(line: string): string {
  return line
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(['.])/, '\\&$1');
}

export function manPage({ name, summary, definition, version }: ManPage): string {
  const command = name.replaceAll('-', ' ');
  const { examples, notes, options = [], subcommands = [] } = definition;
  const args = definition.arguments ?? [];
  const lines = [
    `.TH ${name.toUpperCase()} 1 "" "weir ${version}" "weir"`,
    '.SH NAME',
    `${text(name)} \\- ${text(summary)}`,
    '.SH SYNOPSIS',
    `.B ${text(command)}`,
    [...(options.length === 0 ? [] : ['[OPTIONS]']), ...args.map(argumentText), ...(subcommands.length === 0 ? [] : ['COMMAND'])]
      .map(text)
      .join(' '),
    ...(notes === undefined ? [] : ['.SH DESCRIPTION', ...notes.split('\n').flatMap((line) => [text(line), '.br'])]),
    ...(args.length === 0 ? [] : ['.SH ARGUMENTS', ...args.flatMap((spec) => ['.TP', `.I ${text(spec.name)}`, text(withChoices(spec))])]),
    ...(options.length === 0
      ? []
      : ['.SH OPTIONS', ...options.flatMap((spec) => ['.TP', `.B ${text(spec.flags)}`, text(withChoices(spec))])]),
    ...(subcommands.length === 0
      ? []
      : ['.SH COMMANDS', ...subcommands.flatMap((sub) => ['.TP', `.BR ${text(`${name}-${sub.name}`)} (1)`, text(sub.summary)])]),
    '.SH EXAMPLES',
    '.nf',
    ...examples.map(text),
    '.fi',
    '.SH EXIT STATUS',
    '0 ok, 1 failed, 2 usage, 3 unreachable, 4 not allowed, 5 not found, 6 revision moved, 7 refused, 8 timed out, 9 gate failed, 10 a dry run found changes, 11 waits for approval, 130 interrupted.',
    '.SH SEE ALSO',
    '.BR weir (1)',
  ];
  return `${lines.join('\n')}\n`;
}

function argumentText({ name, optional, variadic }: ArgumentSpec): string {
  const whole = variadic === true ? `${name}...` : name;
  return optional === true ? `[${whole}]` : whole;
}

function withChoices({ summary, choices }: ArgumentSpec | OptionSpec): string {
  return choices === undefined ? summary : `${summary} (${choices.join(', ')})`;
}
