// A port of this machine that nobody listens on, for programs that must be told theirs.
import { createServer, type Server } from 'node:net';

/** Below the range from which systems take ports by themselves (32,768 on Linux): no connection that begins meanwhile gets one of these. */
const FIRST = 10_000;
const SLICES = 220;
const PER_SLICE = 100;

/** The first port of a slice is what holds it: listened on for as long as the process lives. */
const USABLE = PER_SLICE - 1;

/** Test files run in processes of their own, at the same time: each goes through a slice that it alone holds. */
const slice = holdSlice();
let next = 0;

export async function freePort(): Promise<number> {
  const first = await slice;
  for (let tried = 0; tried < USABLE; tried += 1) {
    const port = first + 1 + (next % USABLE);
    next += 1;
    if (await isFree(port)) return port;
  }
  throw new Error(`all ports from ${first} on that process ${process.pid} may try are in use`);
}

/** By process number first, so that one port does not serve two files soon after each other; the next one where another process holds it. */
async function holdSlice(): Promise<number> {
  for (let tried = 0; tried < SLICES; tried += 1) {
    const first = FIRST + ((process.pid + tried) % SLICES) * PER_SLICE;
    const holder = await listen(first);
    if (holder === undefined) continue;
    holder.unref();
    return first;
  }
  throw new Error(`${SLICES} slices of ports from ${FIRST} on, and each of them is held`);
}

async function isFree(port: number): Promise<boolean> {
  const server = await listen(port);
  if (server === undefined) return false;
  await new Promise((resolve) => server.close(resolve));
  return true;
}

/** @returns Undefined where somebody listens there. */
function listen(port: number): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
