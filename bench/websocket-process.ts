// WebSocket load as a staged process: `node bench/websocket-process.ts PORT CONNECTIONS SECONDS plain|tls`.
import { printFigures, readyForStart } from './staged.ts';
import { runEcho } from './websocket-load.ts';

const [port = 0, connections = 0, seconds = 0] = process.argv.slice(2).map(Number);
const { figures } = await runEcho({ port, connections, seconds, tls: process.argv[5] === 'tls' }, readyForStart);
printFigures(figures);
