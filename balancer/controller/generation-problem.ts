// Why a worker cannot serve a generation, in the words of the config file. Pure.
import type { Config } from '../config/config.ts';

/** `problem` is what the worker said; an address that is taken is named as the listener that wanted it. */
export function explainProblem(config: Pick<Config, 'listeners'>, problem: string): string {
  const code = /\b(EADDRINUSE|EACCES|EADDRNOTAVAIL)\b/.exec(problem)?.[1];
  const listener = config.listeners.find(({ bind }) => problem.includes(`${bind.host}:${bind.port}`));
  if (code === undefined || listener === undefined) return problem;
  const where = `listeners.${listener.name}.bind ${listener.bind.host}:${listener.bind.port}`;
  switch (code) {
    case 'EADDRINUSE':
      return `${where} is taken by another process: stop it (\`ss -ltnp\` shows it), or choose another port`;
    case 'EACCES':
      return `${where} may not be used by this user: choose a port from 1024 on, or give weir CAP_NET_BIND_SERVICE`;
    default:
      return `${where} is not an address of this machine: \`ip address\` shows those there are`;
  }
}
