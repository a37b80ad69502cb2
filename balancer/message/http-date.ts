// The Date field, made once a second (RFC 9110 section 5.6.7).

/** A function that returns the field line `date: …` for the present second of the wall clock. */
export function createDateLine(wallMs: () => number): () => string {
  let second = -1;
  let line = '';
  return () => {
    const now = Math.floor(wallMs() / 1000);
    if (now !== second) {
      second = now;
      line = `date: ${new Date(now * 1000).toUTCString()}\r\n`;
    }
    return line;
  };
}
