// A service manager that only listens: a datagram socket as systemd opens one, and what was said to it. In Perl, which Debian always has and which,
// other than Node, can open one.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';

export interface NotifySocket {
  /** As NOTIFY_SOCKET has it. */
  readonly name: string;
  /** One assignment each, in order. */
  readonly said: readonly string[];
}

const LISTENER = `
use Socket;
$| = 1;
my $name = $ARGV[0];
$name =~ s/^@/\\0/;
socket(my $socket, PF_UNIX, SOCK_DGRAM, 0) or die $!;
bind($socket, pack_sockaddr_un($name)) or die $!;
print "listening\\n";
while (defined recv($socket, my $message, 65536, 0)) { print "$message\\n" }
`;

/** `place`: in a file system, or in none ("abstract"). */
export async function startNotifySocket(t: TestContext, place: 'file' | 'abstract' = 'file'): Promise<NotifySocket> {
  assert.equal(spawnSync('systemd-notify', ['--version']).status, 0, 'systemd-notify is not installed; on Debian: apt-get install systemd');
  const directory = mkdtempSync(join(tmpdir(), 'weir-notify-'));
  const name = place === 'file' ? join(directory, 'notify') : `@${directory}`;
  const child = spawn('perl', ['-e', LISTENER, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said: string[] = [];
  const lines = createInterface(child.stdout);
  const [first] = (await once(lines, 'line')) as [string];
  assert.equal(first, 'listening');
  // `systemd-notify` then waits until its message was read; that is no news.
  lines.on('line', (line) => line !== 'BARRIER=1' && said.push(line));
  t.after(async () => {
    const exited = once(child, 'exit');
    child.kill();
    await exited;
    rmSync(directory, { recursive: true, force: true });
  });
  return { name, said };
}
