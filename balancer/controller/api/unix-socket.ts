// The admin socket file: private from its first instant, taken over from a dead process, never from a living one.
import { lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { type Server, connect } from 'node:net';
import { dirname } from 'node:path';

/** `sockaddr_un.sun_path` on Linux, without its final zero byte. */
const MAX_PATH_BYTES = 107;
/** A living process answers a connect on its own host at once. */
const PROBE_TIMEOUT_MS = 1000;

/** Makes `server` listen on `path`, mode 0600 in a directory that is made 0700. Rejects with a message that says what is in the way. */
export async function listenPrivately(server: Server, path: string): Promise<void> {
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_PATH_BYTES) {
    throw new Error(`the admin socket path ${path} has ${bytes} bytes and the system allows ${MAX_PATH_BYTES}: choose a shorter state.dir`);
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  await clearStale(path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // The file is made within listen(), so the mask holds for it and for nothing else.
    const mask = process.umask(0o177);
    try {
      server.listen({ path }, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(mask);
    }
  });
}

/** Removes the file of a process that is gone. */
async function clearStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket())
    throw new Error(`${path} is in the way of the admin socket and is no socket: move it away, or choose another state.dir`);
  if (await isAnswered(path)) {
    throw new Error(
      `another weir is running on this state directory: it answers on ${path}. Stop it first, or give this one its own state.dir`,
    );
  }
  try {
    unlinkSync(path);
  } catch (error) {
    // Its owner was just leaving and took the file along.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

/** Whether a process accepts connections on the socket. Only a refused connection proves that none does. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const settle = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => settle(true));
    socket.once('connect', () => settle(true));
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'));
  });
}
