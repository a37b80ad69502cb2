// What the peer says of itself in SETTINGS (RFC 9113 section 6.5.2), checked.
import { DEFAULT_MAX_FRAME, DEFAULT_WINDOW, Http2Error, MAX_MAX_FRAME, MAX_WINDOW, Setting } from './frame.ts';

export interface PeerSettings {
  /** Of new streams. */
  initialWindow: number;
  maxFrame: number;
  /** Streams that we may open. */
  maxStreams: number;
  enableConnectProtocol: boolean;
}

export function defaultPeerSettings(): PeerSettings {
  return { initialWindow: DEFAULT_WINDOW, maxFrame: DEFAULT_MAX_FRAME, maxStreams: Infinity, enableConnectProtocol: false };
}

/** Takes the pairs of a SETTINGS payload into `settings`. Returns Http2Error.NoError, or the error to end the connection with. */
export function takeSettings(payload: string, settings: PeerSettings): number {
  for (let at = 0; at < payload.length; at += 6) {
    const name = (payload.charCodeAt(at) << 8) | payload.charCodeAt(at + 1);
    const value =
      payload.charCodeAt(at + 2) * 0x100_0000 +
      ((payload.charCodeAt(at + 3) << 16) | (payload.charCodeAt(at + 4) << 8) | payload.charCodeAt(at + 5));
    const error = takeSetting(name, value, settings);
    if (error !== Http2Error.NoError) return error;
  }
  return Http2Error.NoError;
}

function takeSetting(name: number, value: number, settings: PeerSettings): number {
  switch (name) {
    case Setting.EnablePush:
    case Setting.NoRfc7540Priorities:
      return value <= 1 ? Http2Error.NoError : Http2Error.ProtocolError;
    case Setting.EnableConnectProtocol:
      // Once it is on it stays on (RFC 8441 section 3).
      if (value > 1 || (value === 0 && settings.enableConnectProtocol)) return Http2Error.ProtocolError;
      settings.enableConnectProtocol = value === 1;
      return Http2Error.NoError;
    case Setting.MaxConcurrentStreams:
      settings.maxStreams = value;
      return Http2Error.NoError;
    case Setting.InitialWindowSize:
      if (value > MAX_WINDOW) return Http2Error.FlowControlError;
      settings.initialWindow = value;
      return Http2Error.NoError;
    case Setting.MaxFrameSize:
      if (value < DEFAULT_MAX_FRAME || value > MAX_MAX_FRAME) return Http2Error.ProtocolError;
      settings.maxFrame = value;
      return Http2Error.NoError;
    default:
      // The table is of no matter, since we use none; the size of header lists is advice; unknown ones are ignored.
      return Http2Error.NoError;
  }
}
