// TLS handshakes as a process of its own: `node bench/handshakes-process.ts PORT LANES SECONDS new|resumed`.
import { runHandshakes } from './handshakes.ts';

const [port = 0, lanes = 0, seconds = 0] = process.argv.slice(2).map(Number);
const figures = await runHandshakes({ port, lanes, seconds, resume: process.argv[5] === 'resumed' });
process.stdout.write(`${JSON.stringify(figures)}\n`);
