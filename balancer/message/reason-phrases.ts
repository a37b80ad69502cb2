// What statuses are called (RFC 9110 section 15).

/** Asked for by name: an import of `node:http` would load a client for fetch and WebSocket into every process. */
const { STATUS_CODES } = process.getBuiltinModule('node:http');

/** Null: nothing is registered for it. */
export function reasonPhrase(status: number): string | null {
  return STATUS_CODES[status] ?? null;
}
