// What stands before TLS and HTTP on a connection from another proxy: the header of the PROXY protocol, read and taken away.
import type { Socket } from 'node:net';
import type { Clock } from '../../health/clock.ts';
import { readProxyHeader, type ProxyEnds } from '../message/proxy-protocol.ts';

export interface PrefaceRules {
  /** Whether the peer may send a header. */
  readonly trusted: boolean;
  /** Whether the connection must begin with one. */
  readonly required: boolean;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** `gone`: the peer left before it said anything. */
export type Preface =
  | { readonly kind: 'accepted'; readonly ends: ProxyEnds | null }
  | { readonly kind: 'refused'; readonly problem: string }
  | { readonly kind: 'gone' };

const GONE: Preface = { kind: 'gone' };

/** Calls `done` once. On an accepted socket nothing has been read, as far as whoever takes it over can tell. */
export function readPreface(socket: Socket, rules: PrefaceRules, done: (preface: Preface) => void): void {
  let held: Buffer = Buffer.alloc(0);
  const finish = (preface: Preface): void => {
    timer.cancel();
    socket.off('readable', read).off('end', leave).off('close', leave);
    if (preface.kind !== 'accepted') return done(preface);
    if (held.length > 0) socket.unshift(held);
    // The stream forgets that it was read by hand when this turn is over; whoever attaches now would find it paused.
    process.nextTick(() => done(socket.destroyed ? GONE : preface));
  };
  const read = (): void => {
    const chunk: unknown = socket.read();
    if (!Buffer.isBuffer(chunk)) return;
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const header = readProxyHeader(held);
    if (header.kind === 'incomplete') return;
    if (header.kind === 'header') held = held.subarray(header.length);
    finish(judge(header, rules));
  };
  const leave = (): void => finish(held.length === 0 ? GONE : { kind: 'refused', problem: 'the connection ended within it' });
  const timer = rules.clock.after(rules.timeoutMs, () => finish({ kind: 'refused', problem: 'it did not come in time' }), true);
  // What goes wrong is told by `close`, here and on the way to whoever takes the socket over.
  socket.on('error', () => undefined);
  socket.on('readable', read).on('end', leave).on('close', leave);
}

function judge(header: ReturnType<typeof readProxyHeader>, { trusted, required }: PrefaceRules): Preface {
  switch (header.kind) {
    case 'header':
      return trusted ? { kind: 'accepted', ends: header.ends } : { kind: 'refused', problem: 'the peer is not one that may send it' };
    case 'malformed':
      return { kind: 'refused', problem: header.problem };
    case 'absent':
    case 'incomplete':
      return required ? { kind: 'refused', problem: 'there is none' } : { kind: 'accepted', ends: null };
  }
}
