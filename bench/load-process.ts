// The load generator as a process of its own: `node bench/load-process.ts PORT CONNECTIONS SECONDS plain|tls` prints its figures as JSON.
import { runLoad } from './load.ts';

const [port = 0, connections = 0, seconds = 0] = process.argv.slice(2).map(Number);
const figures = await runLoad({ port, connections, seconds, tls: process.argv[5] === 'tls' });
process.stdout.write(JSON.stringify(figures) + '\n');
