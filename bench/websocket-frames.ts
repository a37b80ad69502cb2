// The one WebSocket message of a run, as a client and as a server sends it (RFC 6455 section 5.2).

const TEXT = Buffer.from('weir-bench-'.padEnd(64, '.'), 'latin1');
const FINAL_TEXT = 0x81;
const MASKED = 0x80;

/** The key is 0, which leaves the payload as it is: masking is not what is measured. */
export const CLIENT_FRAME = Buffer.concat([Buffer.from([FINAL_TEXT, MASKED | TEXT.length, 0, 0, 0, 0]), TEXT]);
export const SERVER_FRAME = Buffer.concat([Buffer.from([FINAL_TEXT, TEXT.length]), TEXT]);

export const CLIENT_FRAME_BYTES = CLIENT_FRAME.length;
export const SERVER_FRAME_BYTES = SERVER_FRAME.length;
