// Prints how many bytes of heap a pick of the named policy takes once it is compiled: a process of its own, as a worker has one policy.
import { from, upstreamBench } from './cluster-upstream.ts';

const ROUNDS = 8;
const PICKS = 100_000;

const cluster = upstreamBench(Math.random).make([1, 2, 3, 4], `balance: ${process.argv[2] ?? ''}`);
const client = from('192.0.2.7');
const none: readonly never[] = [];

function round(): number {
  const before = process.memoryUsage().heapUsed;
  for (let pick = 0; pick < PICKS; pick += 1) cluster.pick(none, client);
  return (process.memoryUsage().heapUsed - before) / PICKS;
}

// A collection in between makes a round negative: it says nothing. The first rounds are those of the compiler.
const rounds = Array.from({ length: ROUNDS }, round).filter((bytes) => bytes >= 0);
process.stdout.write(String(Math.min(...rounds)));
