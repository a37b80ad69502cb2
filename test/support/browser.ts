// A browser as far as logins go: it keeps cookies by the rules, says what it asks for, and follows redirects when it navigates.
import { request as requestPlain, type IncomingHttpHeaders } from 'node:http';
import { request as requestSecure } from 'node:https';

export interface Page {
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Wish {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Cookie {
  readonly value: string;
  readonly attributes: string;
}

/** Whatever is over this is dropped by browsers without a word (RFC 6265 section 6.1). */
const MOST_COOKIE_BYTES = 4096;
const MOST_REDIRECTS = 10;

export class Browser {
  /** All hosts of the tests are one, whose ports share cookies. */
  readonly cookies = new Map<string, Cookie>();

  /** A page that a person asks for, by a link of `from` or by hand; follows redirects. */
  async visit(url: string, from: 'none' | 'cross-site' | 'same-origin' = 'none'): Promise<Page> {
    let page = await this.step(url, from);
    for (let redirects = 0; page.status >= 300 && page.status < 400; redirects += 1) {
      if (redirects === MOST_REDIRECTS) throw new Error(`too many redirects, the last one from ${page.url.href}`);
      page = await this.step(new URL(page.headers.location ?? '', page.url).href, from);
    }
    return page;
  }

  /** As far as the first answer. */
  step(url: string, from: 'none' | 'cross-site' | 'same-origin' = 'none'): Promise<Page> {
    const said = { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8', 'sec-fetch-mode': 'navigate', 'sec-fetch-site': from };
    return this.ask(url, { headers: said });
  }

  /** What a script asks for. */
  fetch(url: string, wish: Wish = {}): Promise<Page> {
    const said = { accept: '*/*', 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin', ...wish.headers };
    return this.ask(url, { ...wish, headers: said });
  }

  /** A request as it is said here, with the cookies that belong to it. */
  async ask(url: string, { method = 'GET', headers = {}, body = '' }: Wish): Promise<Page> {
    const place = new URL(url);
    const secure = place.protocol === 'https:';
    const kept = [...this.cookies].filter(([, { attributes }]) => secure || !/; secure/i.test(attributes));
    const cookie = kept.map(([name, { value }]) => `${name}=${value}`).join('; ');
    const all = { ...headers, ...(cookie === '' ? {} : { cookie }), ...(body === '' ? {} : { 'content-length': `${body.length}` }) };
    const page = await exchange(place, { method, headers: all, body });
    for (const line of page.headers['set-cookie'] ?? []) this.keep(line, secure);
    return page;
  }

  /** A line of `set-cookie`, where the rules let it in. */
  keep(line: string, secure: boolean): void {
    const [pair = '', ...rest] = line.split(';');
    const attributes = rest.map((part) => `;${part}`).join('');
    const name = pair.slice(0, pair.indexOf('='));
    const value = pair.slice(pair.indexOf('=') + 1);
    if (Buffer.byteLength(line) > MOST_COOKIE_BYTES) return;
    const isSecure = /; secure/i.test(attributes);
    if (isSecure && !secure) return;
    if (name.startsWith('__Host-') && (!isSecure || !/; path=\/(;|$)/i.test(attributes) || /; domain=/i.test(attributes))) return;
    if (/; max-age=0(;|$)/i.test(attributes)) this.cookies.delete(name);
    else this.cookies.set(name, { value, attributes });
  }

  /** As a copy that somebody took. */
  copy(): Browser {
    const other = new Browser();
    for (const [name, cookie] of this.cookies) other.cookies.set(name, cookie);
    return other;
  }

  /** Its names, without those of logins under way. */
  get names(): readonly string[] {
    return [...this.cookies.keys()].filter((name) => !name.includes('-login-'));
  }
}

/** Certificates of tests are signed by nobody that a browser knows. */
function exchange(url: URL, { method, headers, body }: Required<Wish>): Promise<Page> {
  return new Promise((resolve, reject) => {
    const options = { method, headers, agent: false, rejectUnauthorized: false };
    const outgoing = (url.protocol === 'https:' ? requestSecure : requestPlain)(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.once('error', reject);
      response.once('end', () => resolve({ url, status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}
