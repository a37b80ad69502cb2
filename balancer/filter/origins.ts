// Origins of pages (RFC 6454) and the patterns that fit them.

/** Whether an origin is one of `patterns`: exactly, below `https://*.example.com` by whole names, or any for `*`. */
export function originTable(patterns: readonly string[]): (origin: string) => boolean {
  const lower = patterns.map((pattern) => pattern.toLowerCase());
  const any = lower.includes('*');
  const exact = new Set(lower.filter((pattern) => !pattern.includes('*')));
  const below = lower
    .filter((pattern) => pattern.includes('://*.'))
    .map((pattern) => ({ scheme: pattern.slice(0, pattern.indexOf('*')), suffix: pattern.slice(pattern.indexOf('*') + 1) }));
  return (origin) => {
    const one = origin.toLowerCase();
    // `null` is what every page in a sandbox is.
    if (one === 'null' || !/^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.:[\]-]+$/.test(one)) return false;
    return (
      any ||
      exact.has(one) ||
      below.some(({ scheme, suffix }) => one.startsWith(scheme) && one.endsWith(suffix) && one.length > scheme.length + suffix.length)
    );
  };
}
