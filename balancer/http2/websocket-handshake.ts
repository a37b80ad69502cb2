// What an HTTP/1.1 origin wants to see of a WebSocket handshake, and HTTP/2 does not have (RFC 6455 section 4, RFC 8441 section 5).
import { createHash, randomBytes } from 'node:crypto';
import { fieldValue, removeField, type Fields } from '../message/fields.ts';

/** RFC 6455 section 1.3. */
const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const KEY_BYTES = 16;

/** Adds a key to the fields of a request, whatever the client sent, and returns it. */
export function addWebSocketKey(fields: Fields): string {
  const key = randomBytes(KEY_BYTES).toString('base64');
  removeField(fields, 'sec-websocket-key');
  fields.push('sec-websocket-key', key);
  return key;
}

/** Takes the proof out of the fields of a 101 response; false: it does not belong to `key`. */
export function takeWebSocketAccept(fields: Fields, key: string): boolean {
  const accept = fieldValue(fields, 'sec-websocket-accept');
  removeField(fields, 'sec-websocket-accept');
  const wanted = createHash('sha1')
    .update(key + MAGIC)
    .digest('base64');
  return accept === wanted;
}
