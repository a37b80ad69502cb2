// How weir proves itself to an authorization server: by name and password.

/** RFC 6749 section 2.3.1: both parts are encoded as in a form before they are joined. */
export function basicOf(client: string, password: string): string {
  const encoded = (part: string): string => new URLSearchParams({ '': part }).toString().slice(1);
  return `Basic ${Buffer.from(`${encoded(client)}:${encoded(password)}`).toString('base64')}`;
}
