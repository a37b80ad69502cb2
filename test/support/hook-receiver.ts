// A receiver of webhooks: a real HTTP server that keeps what came, and answers as the test says.
import type { TestContext } from 'node:test';
import { startOrigin } from './origin.ts';

export interface Hooked {
  readonly id: string;
  readonly timestamp: string;
  readonly signatures: readonly string[];
  readonly body: string;
}

export interface HookReceiver {
  readonly url: string;
  readonly came: readonly Hooked[];
  answer: { readonly status: number; readonly retryAfter?: string };
}

export async function startHookReceiver(t: TestContext): Promise<HookReceiver> {
  const came: Hooked[] = [];
  const origin = await startOrigin(t, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const told = (name: string): string => String(request.headers[name] ?? '');
      const signatures = told('webhook-signature')
        .split(' ')
        .filter((one) => one !== '');
      const body = Buffer.concat(chunks).toString('utf8');
      came.push({ id: told('webhook-id'), timestamp: told('webhook-timestamp'), signatures, body });
      const { status, retryAfter } = receiver.answer;
      response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end();
    });
  });
  const receiver: HookReceiver = { url: `${origin.endpoint}/hook?from=weir`, came, answer: { status: 204 } };
  return receiver;
}
