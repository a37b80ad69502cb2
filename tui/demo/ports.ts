// The ports of the demo: which are free, which are taken, and by whom as far as this user may see it.
import { readdir, readFile, readlink } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:net';

export const DEMO_HOST = '127.0.0.1';
/** State of a listening socket in /proc/net/tcp. */
const LISTENING = '0A';

/** Takes `port` (0: any) and gives it back; the number, or null when somebody else has it. */
async function tryPort(port: number): Promise<number | null> {
  const server = createServer();
  server.listen({ port, host: DEMO_HOST, exclusive: true });
  try {
    await once(server, 'listening');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return null;
    throw error;
  }
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : null;
}

/** The inodes of sockets that listen on `port`, from the text of /proc/net/tcp or tcp6. */
export function listeningInodes(table: string, port: number): readonly string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table.split('\n').flatMap((line) => {
    // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
    const fields = line.trim().split(/\s+/);
    const inode = fields[9];
    return fields[1]?.endsWith(wanted) === true && fields[3] === LISTENING && inode !== undefined ? [inode] : [];
  });
}

const orEmpty = async <T>(reading: Promise<T[]>): Promise<T[]> => reading.catch(() => []);

async function holds(pid: string, sockets: ReadonlySet<string>): Promise<boolean> {
  for (const descriptor of await orEmpty(readdir(`/proc/${pid}/fd`))) {
    const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
    if (sockets.has(target)) return true;
  }
  return false;
}

/** The process that listens on `port`, as `process 4711 (node server.js)`; null when it cannot be told. */
export async function holderOf(port: number): Promise<string | null> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')));
  const sockets = new Set(tables.flatMap((table) => listeningInodes(table, port)).map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return null;
  for (const pid of await orEmpty(readdir('/proc'))) {
    if (!/^\d+$/.test(pid) || !(await holds(pid, sockets))) continue;
    const commandLine = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0').join(' ').trim();
    return `process ${pid}${commandLine === '' ? '' : ` (${commandLine})`}`;
  }
  return null;
}

/** A port that is wanted, and the option that names another. */
export interface WantedPort {
  readonly option: string;
  /** 0: any free one. */
  readonly port: number;
}

/** The port to use, or one line on who has it and what to do. */
export async function reservePort({ option, port }: WantedPort): Promise<{ readonly port: number } | { readonly problem: string }> {
  const free = await tryPort(port);
  if (free !== null) return { port: free };
  const holder = await holderOf(port);
  const by =
    holder === null ? `another user's process listens there (root sees it: ss -ltnp 'sport = :${port}')` : `${holder} listens there`;
  return { problem: `port ${port} on ${DEMO_HOST} is in use: ${by}; free it or use ${option} PORT (0: any that is free)` };
}
