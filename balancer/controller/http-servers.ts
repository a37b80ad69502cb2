// Node's own HTTP servers, for the admin API, the hub and the metrics; traffic has the engine of its own.

/** Asked for by name: an import of `node:http` would load a client for fetch and WebSocket with it, a tenth of the controller's start. */
export const { createServer } = process.getBuiltinModule('node:http');
export const { createServer: createTlsServer } = process.getBuiltinModule('node:https');
