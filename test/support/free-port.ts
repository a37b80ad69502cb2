// A port of this machine that nobody listens on, for programs that must be told theirs.
import { createServer } from 'node:net';

/** Below the range from which systems take ports by themselves (32,768 on Linux): no connection that begins meanwhile gets one of these. */
const FIRST = 10_000;
const SLICES = 220;
const PER_SLICE = 100;

/** Test files run in processes of their own, at the same time: each goes through a slice of its own. */
let next = 0;

export async function freePort(): Promise<number> {
  for (let tried = 0; tried < PER_SLICE; tried += 1) {
    const port = FIRST + (process.pid % SLICES) * PER_SLICE + (next % PER_SLICE);
    next += 1;
    if (await isFree(port)) return port;
  }
  throw new Error(`all ports that process ${process.pid} may try are in use`);
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
