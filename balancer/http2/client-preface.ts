// What we say first on a connection to an endpoint (RFC 9113 section 3.4).
import { DEFAULT_WINDOW, PREFACE, Setting, settingsFrame, windowUpdateFrame } from './frame.ts';

/** Preface, settings, and the window of the connection. `maxHeadBytes` bounds what a response head may hold. */
export function clientPreface(windows: { readonly stream: number; readonly connection: number }, maxHeadBytes: number): string {
  const settings = settingsFrame([
    // Without a table header blocks mean the same wherever they stand: what was read once need not be read again.
    ...[Setting.HeaderTableSize, 0],
    ...[Setting.EnablePush, 0],
    ...[Setting.InitialWindowSize, windows.stream],
    ...[Setting.MaxHeaderListSize, maxHeadBytes],
  ]);
  return PREFACE + settings + windowUpdateFrame(0, windows.connection - DEFAULT_WINDOW);
}
