// The bench command: finds the scenario, hands it its options, ends everything it started on Ctrl-C.
import { SCENARIOS } from './scenarios/registry.ts';
import { UsageError, type Scenario } from './scenario.ts';

const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

function help(): string {
  const scenario = ({ name, summary, options }: Scenario): string =>
    `  ${name.padEnd(14)}${summary}\n${options.map((line) => `          ${line}\n`).join('')}`;
  return `npm run bench -- SCENARIO [options]\n\nScenarios:\n${SCENARIOS.map(scenario).join('\n')}\nHow to read the figures: bench/README.md\n`;
}

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || rest.includes('--help')) {
    process.stdout.write(help());
    return name === undefined ? EXIT_USAGE : 0;
  }
  const scenario = SCENARIOS.find((one) => one.name === name);
  try {
    if (scenario === undefined) throw new UsageError(`there is no scenario ${name}; known: ${SCENARIOS.map((one) => one.name).join(', ')}`);
    return await scenario.run(rest, signal);
  } catch (error) {
    if (signal.aborted) return EXIT_INTERRUPTED;
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`bench: ${message}\n`);
    return error instanceof UsageError ? EXIT_USAGE : 1;
  }
}

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => interrupted.abort());
process.exitCode = await main(process.argv.slice(2), interrupted.signal);
