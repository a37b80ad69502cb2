// The list of filters. Its order is the order in which a route's filters run on the request, whatever the file's order.
import { addressAccess } from './address-access.ts';
import { authenticate } from './authenticate/authenticate.ts';
import { authorize } from './authorize.ts';
import { cache } from './cache/cache.ts';
import { compress } from './compress.ts';
import { cookies } from './cookies.ts';
import { cors } from './cors.ts';
import { csrf } from './csrf.ts';
import { errorPages } from './error-pages/error-pages.ts';
import { externalAuthorizer } from './external-authorizer/external-authorizer.ts';
import { placeAccess } from './place-access.ts';
import { redirect } from './redirect.ts';
import { respond } from './respond.ts';
import { rewrite } from './rewrite.ts';
import { fault } from './fault.ts';
import type { FilterDefinition } from './filter.ts';
import { login } from './login/login.ts';
import { grpcWeb } from './grpc-web.ts';
import { headers } from './headers.ts';
import { jsonBody } from './json-body/json-body.ts';
import { addressLimit, rateLimit } from './rate-limit/rate-limit.ts';
import { requestId } from './request-id.ts';
import { requestLimits } from './request-limits/request-limits.ts';
import { userAgents } from './user-agents.ts';
import { securityHeaders } from './security-headers.ts';

/**
 * What tells of the request comes first, so that refusals carry it too. Then who may not even try (by address), who calls, what they may do;
 * last what changes a request that goes on. On the way back the order is the other way round.
 */
export const FILTERS: readonly FilterDefinition[] = [
  requestId,
  // Last on the way back, so that no answer is without them, whoever made it.
  securityHeaders,
  cookies,
  // After what words a body anew, before what only changes heads.
  compress,
  errorPages,
  // A preflight has no credentials, and pages must be able to read a refusal.
  cors,
  addressAccess,
  placeAccess,
  userAgents,
  addressLimit,
  csrf,
  // A session is a proof among those that authenticate looks for; what begins and ends one is open to everybody, but not to pages of others.
  login,
  authenticate,
  authorize,
  // After what is decided here: nobody is asked about what is refused anyway.
  externalAuthorizer,
  rateLimit,
  // Of those who may ask: what they ask with.
  requestLimits,
  // What is refused above is none of a fault's; what is answered below may fail too.
  fault,
  redirect,
  respond,
  grpcWeb,
  // Before what is told of the request is changed; of a response before others see its head, since one that may not go out is an error in its place.
  jsonBody,
  headers,
  // All others go by what the client asked for.
  rewrite,
  // Last, in the place of the endpoint. Who may not have a response is refused above; what is stored is what the endpoint said, as what the
  // endpoint sees was asked; and what is made for one client (coding, fields of its own, pages of other origins) is made anew of each hit.
  cache,
];

/** Those that need the database of locations. */
export const PLACE_FILTERS: ReadonlySet<string> = new Set(FILTERS.filter(({ asksForPlaces }) => asksForPlaces).map(({ name }) => name));
