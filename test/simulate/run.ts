// `npm run simulate`: every question over many seeds, and what came of it. The exit code is 1 when a goal is missed.
import { parseArgs } from 'node:util';
import { simulate } from '../../balancer/steer/simulate/simulate.ts';
import { splitError, type SplitError } from '../../balancer/steer/simulate/split-error.ts';
import { QUESTIONS } from './scenarios.ts';
import { secondsToFail } from './trials.ts';

const { values } = parseArgs({ options: { seeds: { type: 'string', default: '1000' }, only: { type: 'string', default: '' } } });
const seeds = Number(values.seeds);
let missed = 0;

function tell(name: string, figures: string, holds: boolean): void {
  if (!holds) missed += 1;
  process.stdout.write(`${holds ? 'ok  ' : 'MISS'}  ${name}: ${figures}\n`);
}

function splits(): void {
  const errors: SplitError[] = [];
  for (let seed = 1; seed <= seeds; seed += 1)
    errors.push(splitError({ workers: 24, share: 10_000, requests: 40_000, window: 10_000, first: 2000 }, seed));
  const rms = Math.sqrt(errors.reduce((sum, { square }) => sum + square, 0) / errors.length);
  const any = Math.max(...errors.map((error) => error.any));
  const first = Math.max(...errors.map((error) => error.first));
  tell(
    'split of 1 %, 24 workers',
    `any 10,000 requests: rms ${rms.toFixed(4)} (0.02), most ${any.toFixed(3)} (0.10) points; the first 2,000: most ${first.toFixed(3)} (0.15) points`,
    rms <= 0.02 && any <= 0.1 && first <= 0.15,
  );
}

/** In hours of one second each step of the clock. */
const HOURS = 1000;

function gates(): void {
  const good = { rps: 40, errorRatio: 0.001, latencyMs: 20 };
  const found: number[] = [];
  for (let seed = 1; seed <= seeds; seed += 1)
    found.push(secondsToFail({ blue: good, green: { rps: 10, errorRatio: 0.05, latencyMs: 20 } }, 600, seed)?.seconds ?? Infinity);
  found.sort((one, other) => one - other);
  const [median = 0, most = 0] = [found[Math.floor(seeds / 2)], found[Math.floor(seeds * 0.95)]];
  tell(
    'a bad canary',
    `5 % errors against 0.1 %, 10 requests/s: median ${median} (15), 95 of 100 ${most} (30) seconds`,
    median <= 15 && most <= 30,
  );
  let back = 0;
  for (let hour = 0; hour < HOURS; hour += 1)
    if (secondsToFail({ blue: good, green: { ...good, rps: 10 } }, 3600, hour + 1) !== null) back += 1;
  tell('equal versions', `sent back in ${HOURS} hours of gates that never rest: ${back} (1)`, back <= 1);
}

process.stdout.write(`${seeds} seeds\n`);
if ('split'.includes(values.only)) splits();
if ('gates'.includes(values.only)) gates();
for (const { name, goal, scenario, figure, most } of QUESTIONS) {
  if (!name.includes(values.only)) continue;
  let worst = -Infinity;
  let worstSeed = 0;
  let sum = 0;
  for (let seed = 1; seed <= seeds; seed += 1) {
    const found = figure(simulate(scenario, seed));
    sum += found;
    if (found > worst) [worst, worstSeed] = [found, seed];
  }
  const figures = `${goal}: most ${worst.toFixed(3)} (seed ${worstSeed}), mean ${(sum / seeds).toFixed(3)}, goal ${most}`;
  tell(name, figures, worst <= most);
}
process.exitCode = missed > 0 ? 1 : 0;
