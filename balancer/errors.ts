// The one catalogue of errors: what went wrong, whose fault it is, whether another attempt may help, what the client is told.

/** Whose fault an error is. `client` never counts against an endpoint; `path` is the way to an endpoint; `service` answered badly. */
export type Blame = 'client' | 'path' | 'service' | 'operator' | 'weir';

/**
 * Whether another attempt may help.
 * `unsent`: only because no byte of the request reached the origin, so any method may be retried.
 * `idempotent`: the origin may have seen the request; only methods of RFC 9110 section 9.2.2 may be retried.
 */
export type Retry = 'never' | 'unsent' | 'idempotent';

export interface ErrorEntry {
  /** HTTP status of the local reply. 0: the connection is closed without a reply. */
  readonly status: number;
  readonly blame: Blame;
  readonly retry: Retry;
  /** What the client is told; says nothing about the inside. */
  readonly title: string;
  /** Error type of the `proxy-status` field, RFC 9209 section 2.3. */
  readonly proxyStatus: string;
}

type Facts = readonly [status: number, blame: Blame, retry: Retry, proxyStatus: string];

const entry = ([status, blame, retry, proxyStatus]: Facts, title: string): ErrorEntry => ({ status, blame, retry, title, proxyStatus });

export const ERRORS = {
  bad_request: entry([400, 'client', 'never', 'http_request_error'], 'The request is malformed'),
  bad_framing: entry([400, 'client', 'never', 'http_request_error'], 'The message framing of the request is not allowed'),
  bad_host: entry([400, 'client', 'never', 'http_request_error'], 'The Host field is missing, repeated or malformed'),
  bad_path: entry([400, 'client', 'never', 'http_request_error'], 'The request path is malformed'),
  ambiguous_method: entry([400, 'client', 'never', 'http_request_error'], 'The request names more than one method'),
  ambiguous_path: entry([400, 'client', 'never', 'http_request_error'], 'The request path can be read in more than one way'),
  request_timeout: entry([408, 'client', 'never', 'http_request_error'], 'The request did not arrive in time'),
  body_too_slow: entry([408, 'client', 'never', 'http_request_error'], 'The request body came too slowly'),
  head_too_large: entry([431, 'client', 'never', 'http_request_error'], 'The request head is too large'),
  target_too_long: entry([414, 'client', 'never', 'http_request_error'], 'The request target is too long'),
  body_digest_wrong: entry([400, 'client', 'never', 'http_request_error'], 'The request body is not the one that its digest tells of'),
  body_too_large: entry([413, 'client', 'never', 'http_request_error'], 'The request body is too large'),
  body_malformed: entry([400, 'client', 'never', 'http_request_error'], 'The request body is malformed'),
  body_too_deep: entry([400, 'client', 'never', 'http_request_error'], 'The request body is nested too deeply'),
  coding_not_supported: entry([415, 'client', 'never', 'http_request_error'], 'The content coding of the request is not supported'),
  type_not_supported: entry([415, 'client', 'never', 'http_request_error'], 'The media type of the request body is not supported'),
  expectation_failed: entry([417, 'client', 'never', 'http_request_error'], 'The expectation is not supported'),
  method_not_supported: entry([501, 'client', 'never', 'http_request_error'], 'The method is not supported here'),
  version_not_supported: entry([505, 'client', 'never', 'http_request_error'], 'The HTTP version is not supported'),
  client_closed: entry([0, 'client', 'never', 'connection_terminated'], 'The client left before the response was complete'),
  client_certificate_required: entry([403, 'client', 'never', 'http_request_denied'], 'The request needs a certificate of the client'),
  credentials_missing: entry([401, 'client', 'never', 'http_request_denied'], 'The request needs credentials'),
  credentials_invalid: entry([401, 'client', 'never', 'http_request_denied'], 'The credentials of the request are not valid'),
  credentials_ambiguous: entry(
    [401, 'client', 'never', 'http_request_denied'],
    'The request has more than one set of credentials of a kind',
  ),
  login_failed: entry([400, 'client', 'never', 'http_request_denied'], 'Signing in did not work; go back to the page and begin again'),
  logout_failed: entry([400, 'client', 'never', 'http_request_denied'], 'The logout token does not end a session here'),
  access_denied: entry([403, 'client', 'never', 'http_request_denied'], 'The caller may not do this'),
  scope_insufficient: entry([403, 'client', 'never', 'http_request_denied'], 'The credentials do not reach as far as this'),
  address_denied: entry([403, 'client', 'never', 'http_request_denied'], 'The client address may not do this'),
  cross_origin: entry([403, 'client', 'never', 'http_request_denied'], 'The request comes from a page of another origin'),
  too_many_failures: entry([429, 'client', 'never', 'http_request_denied'], 'Too many attempts with credentials that are not valid'),
  rate_limited: entry([429, 'client', 'never', 'http_request_denied'], 'Too many requests'),
  too_many_at_once: entry([429, 'client', 'never', 'http_request_denied'], 'Too many requests at once'),
  limits_unavailable: entry([503, 'weir', 'never', 'proxy_internal_response'], 'It cannot be said right now whether this may pass'),
  authentication_unavailable: entry([503, 'weir', 'never', 'proxy_internal_response'], 'Credentials cannot be checked right now'),
  authorizer_unavailable: entry(
    [503, 'weir', 'never', 'proxy_internal_response'],
    'It cannot be said right now whether the caller may do this',
  ),
  not_stored: entry([504, 'client', 'never', 'http_request_denied'], 'No stored response holds, and the request wants no other'),
  misdirected_request: entry([421, 'client', 'never', 'http_request_denied'], 'The connection was made for another host'),
  client_hello_malformed: entry([0, 'client', 'never', 'connection_terminated'], 'The connection does not begin with a TLS ClientHello'),
  client_hello_timeout: entry([0, 'client', 'never', 'connection_timeout'], 'The TLS ClientHello did not arrive in time'),
  write_timeout: entry([0, 'client', 'never', 'connection_timeout'], 'The client did not take the response in time'),
  route_not_found: entry([404, 'client', 'never', 'destination_not_found'], 'No route matches this request'),
  no_cluster: entry([503, 'service', 'never', 'destination_unavailable'], 'The service has no place to run right now'),
  no_endpoint: entry([503, 'path', 'unsent', 'destination_unavailable'], 'The service cannot be reached right now'),
  overloaded: entry([503, 'weir', 'unsent', 'proxy_internal_response'], 'Too many requests are waiting'),
  cluster_drained: entry([503, 'weir', 'never', 'proxy_internal_response'], 'The cluster is drained and its deadline has passed'),
  draining: entry([503, 'weir', 'never', 'proxy_internal_response'], 'This host is going out of service'),
  connect_failed: entry([502, 'path', 'unsent', 'connection_refused'], 'The service cannot be reached'),
  connect_timeout: entry([504, 'path', 'unsent', 'connection_timeout'], 'The service cannot be reached in time'),
  tls_failed: entry([502, 'path', 'unsent', 'tls_certificate_error'], 'No trusted connection to the service'),
  connection_reset: entry([502, 'path', 'idempotent', 'connection_terminated'], 'The service closed the connection'),
  stale_connection: entry([502, 'path', 'idempotent', 'connection_terminated'], 'The service closed the connection'),
  stream_refused: entry([503, 'service', 'unsent', 'destination_unavailable'], 'The service did not take the request'),
  first_byte_timeout: entry([504, 'path', 'idempotent', 'http_response_timeout'], 'The service did not answer in time'),
  try_timeout: entry([504, 'path', 'idempotent', 'http_response_timeout'], 'The service did not answer in time'),
  between_bytes_timeout: entry([504, 'path', 'never', 'http_response_timeout'], 'The service stopped in the middle of its answer'),
  request_deadline: entry([504, 'service', 'never', 'http_response_timeout'], 'The request took longer than it may'),
  response_malformed: entry([502, 'path', 'never', 'http_protocol_error'], 'The service sent a malformed response'),
  response_unfit: entry([502, 'service', 'never', 'http_protocol_error'], 'The service sent an answer that may not go out as it is'),
  response_head_too_large: entry([502, 'path', 'never', 'http_response_header_section_size'], 'The service sent a head that is too large'),
  response_incomplete: entry([502, 'path', 'never', 'http_response_incomplete'], 'The service closed before its answer was complete'),
  upgrade_refused: entry([502, 'service', 'never', 'http_upgrade_failed'], 'The service did not accept the upgrade as asked'),
  tunnel_idle: entry([0, 'client', 'never', 'connection_timeout'], 'The tunnel was idle for too long'),
  internal: entry([500, 'weir', 'never', 'proxy_internal_error'], 'An error inside the balancer'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

/** gRPC statuses of answers that weir gives itself, by their HTTP status; every other one is UNKNOWN. */
const GRPC_STATUSES: Readonly<Record<number, number>> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  408: 4,
  413: 8,
  429: 8,
  431: 8,
  500: 13,
  501: 12,
  502: 14,
  503: 14,
  504: 14,
};
const GRPC_UNKNOWN = 2;
const GRPC_DEADLINE_EXCEEDED = 4;

/** What a gRPC call is told by its status, where another request gets this HTTP status. */
export const grpcStatusOf = (status: number): number => GRPC_STATUSES[status] ?? GRPC_UNKNOWN;

/** The same for an error: that the whole time of the call is over has a status of its own. */
export const grpcStatusOfError = (code: ErrorCode): number =>
  code === 'request_deadline' ? GRPC_DEADLINE_EXCEEDED : grpcStatusOf(ERRORS[code].status);

export const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(ERRORS, text);

/** An error of the catalogue with what an operator (never the client) may read about it. */
export class WeirError extends Error {
  readonly code: ErrorCode;
  /** For the log only. */
  readonly detail: string;

  constructor(code: ErrorCode, detail = '', options?: ErrorOptions) {
    super(detail === '' ? code : `${code}: ${detail}`, options);
    this.name = 'WeirError';
    this.code = code;
    this.detail = detail;
  }
}
