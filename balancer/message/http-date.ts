// Dates of fields (RFC 9110 section 5.6.7): the Date field, made once a second, and the reading of all three forms.

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

const IMF_FIXDATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const RFC_850 = /^[A-Z][a-z]+, (\d{2})-([A-Z][a-z]{2})-(\d{2}) (\d{2}:\d{2}:\d{2}) GMT$/;
const ASCTIME = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/;
/** A year of two digits that looks further ahead is of the century before. */
const AHEAD_YEARS = 50;

/** Milliseconds since 1970-01-01 UTC; NaN: it is no date. `nowMs` is the wall clock's, by which years of two digits are read. */
export function httpDateMs(text: string, nowMs: number): number {
  if (IMF_FIXDATE.test(text)) return Date.parse(text);
  if (ASCTIME.test(text)) return Date.parse(`${text} GMT`);
  const [, day, month, year, time] = RFC_850.exec(text) ?? [];
  if (day === undefined) return NaN;
  const now = new Date(nowMs).getUTCFullYear();
  const full = now - (now % 100) + Number(year);
  return Date.parse(`${day} ${month ?? ''} ${full > now + AHEAD_YEARS ? full - 100 : full} ${time ?? ''} GMT`);
}
