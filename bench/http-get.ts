// One GET on a connection of its own, for proofs and the admin API; certificates are not checked, they are ours.
import { request as plainRequest, type RequestOptions } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { text } from 'node:stream/consumers';

/** `host`: this one, if none is named. */
export type Where = { readonly host?: string; readonly port: number; readonly tls: boolean } | { readonly socketPath: string };

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Sends one request; null when there is no answer. */
export function ask(where: Where, path: string, { method = 'GET', body = '' } = {}): Promise<Answer | null> {
  const secure = 'port' in where && where.tls;
  const address = 'port' in where ? { host: where.host ?? '127.0.0.1', port: where.port } : { socketPath: where.socketPath };
  const headers = body === '' ? {} : { 'content-type': 'application/yaml', 'content-length': Buffer.byteLength(body) };
  const options: RequestOptions & { rejectUnauthorized: boolean } = {
    ...address,
    path,
    method,
    headers,
    agent: false,
    rejectUnauthorized: false,
  };
  return new Promise((resolve) => {
    const outgoing = (secure ? tlsRequest : plainRequest)(options, (response) => {
      text(response).then(
        (received) => resolve({ status: response.statusCode ?? 0, body: received }),
        () => resolve(null),
      );
    });
    outgoing.once('error', () => resolve(null));
    outgoing.end(body);
  });
}
