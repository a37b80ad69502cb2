// Puts text into the clipboard of whoever sits at the terminal.
import { spawn } from 'node:child_process';

export interface Clipboard {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** To the terminal itself. */
  readonly write: (text: string) => void;
}

/** Where it went, for people. */
export async function copyText(text: string, { env, write }: Clipboard): Promise<string> {
  // tmux passes the sequence of a program inside it on only where its configuration says so; its own command always works.
  if ((env['TMUX'] ?? '') !== '' && (await intoTmux(text, env))) return 'copied, also to the buffer of tmux';
  // OSC 52: the terminal puts it into the clipboard, over ssh too.
  write(`\x1b]52;c;${Buffer.from(text).toString('base64')}\x07`);
  return 'copied';
}

/** `-w` hands it to the clipboard of the outer terminal too; false: no tmux, or one before 3.2. */
function intoTmux(text: string, env: Clipboard['env']): Promise<boolean> {
  return new Promise((resolve) => {
    const tmux = spawn('tmux', ['load-buffer', '-w', '-'], { stdio: ['pipe', 'ignore', 'ignore'], env: { ...env } });
    tmux.on('error', () => resolve(false));
    tmux.on('close', (code) => resolve(code === 0));
    tmux.stdin.on('error', () => undefined);
    tmux.stdin.end(text);
  });
}
