// All that a socket reads, as latin1, and whether its end has come.
import type { Socket } from 'node:net';

/** Collects what `socket` reads from now on. */
export function heardBy(socket: Socket): { readonly text: string; readonly ended: boolean } {
  const heard = { text: '', ended: false };
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => (heard.text += text));
  socket.on('end', () => (heard.ended = true));
  socket.resume();
  return heard;
}
