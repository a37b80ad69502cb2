// Outlives the demo by a moment: when the demo was killed and could not end its processes, this ends them and removes its directory.
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { killGroup } from './child.ts';

// The demo is the only writer of stdin and holds it open as long as it lives: `+PID` for a process it started, `-PID` for one that ended.
const alive = new Set<number>();
for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line.slice(1));
  if (line.startsWith('+')) alive.add(pid);
  else alive.delete(pid);
}
for (const pid of alive) killGroup(pid);
const [directory] = process.argv.slice(2);
if (directory !== undefined) await rm(directory, { recursive: true, force: true, maxRetries: 5 });
