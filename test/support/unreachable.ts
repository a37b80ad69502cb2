// A port that is open and takes no more connections: its process is stopped and its backlog is full, so a SYN gets no answer.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';

/** The port, on 127.0.0.1. */
export async function startUnreachable(t: TestContext): Promise<number> {
  const script =
    "const s = require('net').createServer(); s.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(s.address().port));";
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  child.kill('SIGSTOP');
  // More than the backlog holds; those that do not fit hang in SYN_SENT and go with the test.
  for (let i = 0; i < 8; i += 1) {
    const filler = connect(port, '127.0.0.1').on('error', () => undefined);
    t.after(() => filler.destroy());
  }
  return port;
}
