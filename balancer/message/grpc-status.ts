// What became of a gRPC call: HTTP says 200 whatever it was, and the status that counts stands in the trailers, or in a head without a body.
import { fieldValue, type Fields } from './fields.ts';

/**
 * HTTP statuses by gRPC status, as `google.rpc.Code` pairs them, but for two. DEADLINE_EXCEEDED (4) is 500 and not 504: the deadline is the
 * caller's own, and 504 would take a version out of service. UNIMPLEMENTED (12) is 404 and not 501: over HTTP too it is the caller's mistake to
 * ask for what is not there.
 */
const HTTP_STATUSES = [200, 499, 500, 400, 500, 404, 409, 403, 429, 400, 409, 400, 404, 500, 503, 500, 401];
/** A call that ends without a status has failed (gRPC over HTTP/2, "Responses": clients are to make UNKNOWN of it). */
const WITHOUT_STATUS = 500;
/** Whether the status of this answer is still to come or stands in `grpc-status`; not of gRPC-Web, whose trailers are in the body. */
export function isGrpcAnswer(status: number, fields: Readonly<Fields>): boolean {
  if (status !== 200) return false;
  const type = fieldValue(fields, 'content-type');
  return type?.startsWith('application/grpc') === true && type[16] !== '-';
}

/** The HTTP status that the `grpc-status` among these fields stands for; null: there is none among them. */
export function grpcResult(fields: Readonly<Fields>): number | null {
  const text = fieldValue(fields, 'grpc-status');
  return text === undefined ? null : (HTTP_STATUSES[Number(text)] ?? WITHOUT_STATUS);
}

/** The same of trailers, with which the call is over. */
export function grpcResultAtEnd(trailers: Readonly<Fields>): number {
  return grpcResult(trailers) ?? WITHOUT_STATUS;
}
