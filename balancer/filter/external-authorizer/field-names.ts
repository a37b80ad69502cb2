// Which fields may be named for an authorizer: those that frame a message, or by which weir itself speaks, are no one else's.

/** They frame a message or belong to one connection (RFC 9110 section 7.6.1). */
const FRAMING =
  /^(?:connection|content-length|expect|host|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|proxy-authenticat.*|:.*)$/;
/** By these weir tells of the request; a client's own would be taken for weir's. */
const TOLD = /^(?:x-forwarded-.*|forwarded|x-original-.*|x-rewrite-url|x-real-ip|x-request-id|x-weir-.*|via|accept-encoding)$/;
/** They tell of the answer's own body. */
const OF_BODY = /^content-.*$/;

/** Null: a field of the request that may go to the authorizer. */
export function problemOfSent(name: string): string | null {
  if (FRAMING.test(name)) return `"${name}" belongs to the message framing and is not passed on; leave it out`;
  return TOLD.test(name) ? `weir says "${name}" itself, and what clients say under this name is not to be believed; leave it out` : null;
}

/** Null: a field of the answer that may be set on the request. */
export function problemOfTaken(name: string): string | null {
  if (OF_BODY.test(name)) return `"${name}" tells of the answer's own body, and not of the request; take another field`;
  return problemOfSent(name);
}

/** Null: a field of the answer that a refusal may have. */
export function problemOfRelayed(name: string): string | null {
  if (FRAMING.test(name)) return `"${name}" belongs to the message framing and is not passed on; leave it out`;
  return OF_BODY.test(name) ? `"${name}" goes with the body by itself, where it can; leave it out` : null;
}
