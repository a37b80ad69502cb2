// Gives the terminal back after a death that no handler sees: SIGKILL, the out-of-memory killer, a crash of the engine.
import { execFileSync, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { MOUSE_OFF, PASTE_MARKS_OFF } from './input.ts';

export interface LastResort {
  /** The terminal is given back already; idempotent. */
  close(): void;
}

/** Leaves the alternate screen, shows the cursor, takes colours and marks away. */
const RESTORE = `${MOUSE_OFF}${PASTE_MARKS_OFF}\x1b[m\x1b[?25h\x1b[?1049l`;

/**
 * A shell that waits for the end of a pipe, which the system closes with this process however it ends. Told `bye` before, it does nothing.
 * It ignores the signals of the terminal, so that it outlives what it watches, and SIGTTOU, since by then it is in the background.
 * The line settings come first: the shell that waited makes its own for its prompt, and whoever sees the screen of before finds them made.
 */
const SCRIPT = `trap '' INT QUIT TERM HUP TTOU TSTP; IFS= read -r said; [ "$said" = bye ] && exit 0; stty "$1" <&1 2>/dev/null; printf '%s' "$2" >&1`;

/** To be called before the terminal is changed. Null: there is no shell or no stty here, and the handlers are all there is. */
export function openLastResort(): LastResort | null {
  let settings: string;
  try {
    settings = execFileSync('stty', ['-g'], { stdio: ['inherit', 'pipe', 'ignore'], encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
  const watcher = spawn('sh', ['-c', SCRIPT, 'weir-top-watch', settings, RESTORE], { stdio: ['pipe', 'inherit', 'ignore'] });
  watcher.on('error', () => undefined);
  watcher.stdin.on('error', () => undefined);
  // It must not keep this process alive, nor must the pipe to it, which is a socket that the types do not show as one.
  watcher.unref();
  if (watcher.stdin instanceof Socket) watcher.stdin.unref();
  return { close: () => void watcher.stdin.end('bye\n') };
}
