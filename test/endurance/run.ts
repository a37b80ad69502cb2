// `npm run endure -- NAME …`: what takes too long, or too many rights, for the suite. Tells figures; the exit code is 1 when something was lost.
const RUNS = {
  kills: './kills.ts',
  'redis-away': './redis-away.ts',
  partition: './partition.ts',
  scale: './scale.ts',
  renewals: './renewals.ts',
  agents: './agents.ts',
} as const;

const name = process.argv[2] ?? '';
const file = Object.entries(RUNS).find(([known]) => known === name)?.[1];
if (file === undefined) {
  process.stderr.write(`usage: npm run endure -- ${Object.keys(RUNS).join('|')} [options]\n`);
  process.exitCode = 2;
} else await import(file);
