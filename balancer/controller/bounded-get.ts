// One question over HTTP: a connection of its own, verified, without redirects, and an answer of bounded size.
import { readFileSync } from 'node:fs';
import type { Client } from 'undici';
import { boundedText } from '../message/bounded-text.ts';

const MOST_BYTES = 1_048_576;

export interface GetOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** PEM file of the authorities that are trusted; null: those of the system. */
  readonly ca: string | null;
}

export interface Got {
  readonly status: number;
  readonly body: string;
}

export type GetOutcome = { readonly ok: true; readonly answer: Got } | { readonly ok: false; readonly problem: string };

/** The caller ends it in time with the signal. What is wrong is told without the address, which may carry what is nobody's business. */
export async function boundedGet({ url, headers, ca }: GetOptions, signal: AbortSignal): Promise<GetOutcome> {
  const target = new URL(url);
  const undici = await import('undici');
  let client: Client;
  try {
    client = new undici.Client(target.origin, ca === null ? {} : { connect: { ca: readFileSync(ca) } });
  } catch (error) {
    return { ok: false, problem: `its authorities cannot be read (${codeOf(error)})` };
  }
  try {
    const asked = { method: 'GET', path: `${target.pathname}${target.search}`, headers, reset: true, signal } as const;
    const { statusCode, body } = await client.request(asked);
    const text = await boundedText(body, MOST_BYTES);
    return text === null
      ? { ok: false, problem: `the answer has more than ${MOST_BYTES} bytes` }
      : { ok: true, answer: { status: statusCode, body: text } };
  } catch (error) {
    return { ok: false, problem: signal.aborted ? 'no answer in time' : `no answer (${codeOf(error)})` };
  } finally {
    await client.destroy();
  }
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : 'unknown error';
}
