// A canonical request of which a test names only what matters to it.
import type { CanonicalRequest } from '../../balancer/message/request.ts';

/** `GET http://shop.example/` of a stranger, but for `facts`. */
export function aRequest(facts: Partial<CanonicalRequest> = {}): CanonicalRequest {
  return {
    method: 'GET',
    scheme: 'http',
    host: 'shop.example',
    authority: 'shop.example',
    path: '/',
    pathDoubts: 0,
    otherMethods: [],
    query: '',
    hasQuery: false,
    fields: [],
    bodyLength: 0,
    version: '1.1',
    acceptsTrailers: false,
    clientAddress: '203.0.113.1',
    peerAddress: '203.0.113.1',
    peerTrusted: false,
    listener: 'web',
    serverName: '',
    clientCertificate: null,
    requestId: 'test-1',
    identity: null,
    rewritten: null,
    ...facts,
  };
}
