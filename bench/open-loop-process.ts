// Open-loop load as a process of its own: `node bench/open-loop-process.ts PORT CONNECTIONS SECONDS WARM-UP RATE plain|tls`.
import { runOpenLoop } from './open-loop.ts';

const [port = 0, connections = 0, seconds = 0, warmUpSeconds = 0, ratePerSecond = 0] = process.argv.slice(2).map(Number);
const figures = await runOpenLoop({ port, connections, seconds, warmUpSeconds, ratePerSecond, tls: process.argv[7] === 'tls' });
process.stdout.write(JSON.stringify(figures) + '\n');
