// Scenario `websocket`: tunnels with small messages.
import { SERVERS } from '../contenders/registry.ts';
import { PLAIN } from '../contender.ts';
import { echoes, startEchoOrigin } from '../workloads/websocket.ts';
import { compare } from './comparison.ts';

export const websocket = compare({
  name: 'websocket',
  summary: 'echo on 1,000 WebSocket connections: CPU time per message',
  wiring: { ...PLAIN, upgrades: true },
  contenders: SERVERS,
  reference: 'nginx',
  parts: [echoes('', [1000])],
  origin: startEchoOrigin,
});
