// What the peer of a connection said in its SETTINGS (RFC 9113 section 6.5.2).
import { DEFAULT_MAX_FRAME, DEFAULT_WINDOW, Http2Error, MAX_MAX_FRAME, MAX_WINDOW, Setting } from './frame.ts';

const SETTING_BYTES = 6;

export class PeerSettings {
  maxStreams = Infinity;
  initialWindow = DEFAULT_WINDOW;
  maxFrame = DEFAULT_MAX_FRAME;
  /** RFC 8441 section 3. */
  extendedConnect = false;

  /**
   * Takes over a SETTINGS payload. Returns by how much the windows of open streams change, or the error the connection has to end with.
   */
  read(payload: string): { readonly windowChange: number } | number {
    const before = this.initialWindow;
    for (let at = 0; at < payload.length; at += SETTING_BYTES) {
      const error = this.#take(uint(payload, at, 2), uint(payload, at + 2, 4));
      if (error !== Http2Error.NoError) return error;
    }
    return { windowChange: this.initialWindow - before };
  }

  #take(setting: number, value: number): number {
    switch (setting) {
      case Setting.EnablePush:
      case Setting.NoRfc7540Priorities:
        if (value > 1) return Http2Error.ProtocolError;
        break;
      case Setting.MaxConcurrentStreams:
        this.maxStreams = value;
        break;
      case Setting.InitialWindowSize:
        if (value > MAX_WINDOW) return Http2Error.FlowControlError;
        this.initialWindow = value;
        break;
      case Setting.MaxFrameSize:
        if (value < DEFAULT_MAX_FRAME || value > MAX_MAX_FRAME) return Http2Error.ProtocolError;
        this.maxFrame = value;
        break;
      case Setting.EnableConnectProtocol:
        // Once given it cannot be taken back (RFC 8441 section 3).
        if (value > 1 || (value === 0 && this.extendedConnect)) return Http2Error.ProtocolError;
        this.extendedConnect = value === 1;
    }
    return Http2Error.NoError;
  }
}

function uint(text: string, at: number, bytes: number): number {
  let value = 0;
  for (let i = at; i < at + bytes; i += 1) value = value * 256 + text.charCodeAt(i);
  return value;
}
