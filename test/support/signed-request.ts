// Requests that their sender has signed with a shared secret, as a program of a consumer would make them, and what is heard of them.
import { createHmac, hash } from 'node:crypto';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Sent {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** As they are sent; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Signer {
  readonly user: string;
  readonly secret: string;
  readonly algorithm?: string;
  /** What is signed; default: all fields and the target. */
  readonly parts?: readonly string[];
}

/** A request of now to `port`, with the digest of its body if it has one; not signed yet. */
export function unsigned(port: number, { method = 'GET', target = '/', headers = {}, body = '' }: Partial<Sent> = {}): Sent {
  const own = { host: `127.0.0.1:${port}`, date: new Date().toUTCString() };
  const digest = body === '' ? {} : { 'content-digest': `sha-256=:${hash('sha256', body, 'base64')}:` };
  return { method, target, headers: { ...own, ...digest, ...headers }, body };
}

/** The same with its signature. */
export function signed(sent: Sent, { user, secret, algorithm = 'hmac-sha256', parts }: Signer): Sent {
  const names = parts ?? ['@request-target', ...Object.keys(sent.headers)];
  const lines = names.map((name) => {
    if (name === '@request-target') return `@request-target: ${sent.method.toLowerCase()} ${sent.target}`;
    return name === 'request-line' ? `${sent.method} ${sent.target} HTTP/1.1` : `${name}: ${sent.headers[name] ?? ''}`;
  });
  const signature = createHmac(algorithm.replace('hmac-', ''), secret).update(lines.join('\n'), 'latin1').digest('base64');
  const authorization = `hmac username="${user}", algorithm="${algorithm}", headers="${names.join(' ')}", signature="${signature}"`;
  return { ...sent, headers: { ...sent.headers, authorization } };
}

export interface Response {
  readonly status: number;
  readonly challenge: string;
  /** The body, if it is an object. */
  readonly said: Readonly<Record<string, string>>;
}

export async function send(port: number, { method, target, headers, body }: Sent): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const asked = request({ port, host: '127.0.0.1', method, path: target, headers: { ...headers, connection: 'close' } }, (response) => {
    const { statusCode = 0, headers: fields } = response;
    void text(response).then((all) => {
      const said = all.startsWith('{') ? (JSON.parse(all) as Record<string, string>) : {};
      resolve({ status: statusCode, challenge: fields['www-authenticate'] ?? '', said });
    }, reject);
  });
  asked.on('error', reject).end(body);
  return promise;
}
