// The frames of HTTP/2 (RFC 9113 section 6): their numbers, and those we send, as text of one character a byte.

export const FrameType = {
  Data: 0,
  Headers: 1,
  Priority: 2,
  RstStream: 3,
  Settings: 4,
  PushPromise: 5,
  Ping: 6,
  GoAway: 7,
  WindowUpdate: 8,
  Continuation: 9,
  /** RFC 9218 section 7.1. */
  PriorityUpdate: 16,
} as const;

export const Flag = { EndStream: 0x1, Ack: 0x1, EndHeaders: 0x4, Padded: 0x8, Priority: 0x20 } as const;

export const Setting = {
  HeaderTableSize: 1,
  EnablePush: 2,
  MaxConcurrentStreams: 3,
  InitialWindowSize: 4,
  MaxFrameSize: 5,
  MaxHeaderListSize: 6,
  /** RFC 8441 section 3. */
  EnableConnectProtocol: 8,
  /** RFC 9218 section 2.1. */
  NoRfc7540Priorities: 9,
} as const;

/** RFC 9113 section 7. */
export const Http2Error = {
  NoError: 0,
  ProtocolError: 1,
  InternalError: 2,
  FlowControlError: 3,
  SettingsTimeout: 4,
  StreamClosed: 5,
  FrameSizeError: 6,
  RefusedStream: 7,
  Cancel: 8,
  CompressionError: 9,
  ConnectError: 10,
  EnhanceYourCalm: 11,
  InadequateSecurity: 12,
  Http11Required: 13,
} as const;

/** What a client sends first (RFC 9113 section 3.4). */
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
export const FRAME_HEAD_BYTES = 9;
/** The largest frame a peer takes that has not said otherwise, and that we ask for. */
export const DEFAULT_MAX_FRAME = 16_384;
/** RFC 9113 section 4.2. */
export const MAX_MAX_FRAME = 16_777_215;
export const DEFAULT_WINDOW = 65_535;
/** RFC 9113 section 6.9.1. */
export const MAX_WINDOW = 0x7fff_ffff;

/** The nine bytes before a payload of `length` bytes. */
export function frameHead(length: number, type: number, flags: number, streamId: number): string {
  return String.fromCharCode(
    (length >>> 16) & 0xff,
    (length >>> 8) & 0xff,
    length & 0xff,
    type,
    flags,
    (streamId >>> 24) & 0xff,
    (streamId >>> 16) & 0xff,
    (streamId >>> 8) & 0xff,
    streamId & 0xff,
  );
}

/** The head of a DATA frame; its payload follows. */
export function dataHead(length: number, streamId: number, endStream: boolean): string {
  return frameHead(length, FrameType.Data, endStream ? Flag.EndStream : 0, streamId);
}

/** A header block, in one frame or, where it is longer than the peer takes, in several (RFC 9113 section 4.3). */
export function headersFrames(block: string, streamId: number, endStream: boolean, maxFrame: number): string {
  const flags = endStream ? Flag.EndStream : 0;
  if (block.length <= maxFrame) return frameHead(block.length, FrameType.Headers, flags | Flag.EndHeaders, streamId) + block;
  let text = frameHead(maxFrame, FrameType.Headers, flags, streamId) + block.slice(0, maxFrame);
  for (let at = maxFrame; at < block.length; at += maxFrame) {
    const part = block.slice(at, at + maxFrame);
    text += frameHead(part.length, FrameType.Continuation, at + maxFrame >= block.length ? Flag.EndHeaders : 0, streamId) + part;
  }
  return text;
}

/** `pairs`: setting, value, setting, value, … */
export function settingsFrame(pairs: readonly number[]): string {
  let payload = '';
  for (let i = 0; i < pairs.length; i += 2) payload += twoBytes(pairs[i] ?? 0) + fourBytes(pairs[i + 1] ?? 0);
  return frameHead(payload.length, FrameType.Settings, 0, 0) + payload;
}

export const SETTINGS_ACK = frameHead(0, FrameType.Settings, Flag.Ack, 0);

/** `opaque`: eight bytes. */
export function pingFrame(opaque: string, ack: boolean): string {
  return frameHead(opaque.length, FrameType.Ping, ack ? Flag.Ack : 0, 0) + opaque;
}

/** `debug`: for whoever reads a trace of the connection; ASCII. */
export function goAwayFrame(lastStreamId: number, error: number, debug: string): string {
  return frameHead(8 + debug.length, FrameType.GoAway, 0, 0) + fourBytes(lastStreamId) + fourBytes(error) + debug;
}

export function rstStreamFrame(streamId: number, error: number): string {
  return frameHead(4, FrameType.RstStream, 0, streamId) + fourBytes(error);
}

/** `streamId` 0: the window of the connection. */
export function windowUpdateFrame(streamId: number, increment: number): string {
  return frameHead(4, FrameType.WindowUpdate, 0, streamId) + fourBytes(increment);
}

function twoBytes(value: number): string {
  return String.fromCharCode((value >>> 8) & 0xff, value & 0xff);
}

function fourBytes(value: number): string {
  return String.fromCharCode((value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}
