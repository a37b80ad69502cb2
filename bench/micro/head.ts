// Micro bench of the request head parser: what a head costs by its number of fields.
import { RequestHeads } from '../../balancer/http1/request-head.ts';
import type { MicroCase, MicroSubject } from './harness.ts';

const MAX_FIELDS = 100;

const SMALL = ['Host: shop.example.com', 'User-Agent: curl/8.5.0', 'Accept: */*'];

const BROWSER = [
  'Host: shop.example.com',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'Accept-Language: en-US,en;q=0.5',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Referer: https://shop.example.com/catalogue/shoes?page=3',
  'Connection: keep-alive',
  'Cookie: session=8f14e45fceea167a5a36dedd4bea2543; theme=dark; consent=all',
  'Sec-Fetch-Dest: document',
  'Sec-Fetch-Mode: navigate',
  'Sec-Fetch-Site: same-origin',
  'Priority: u=0, i',
];

const LONG = [...BROWSER, ...Array.from({ length: 28 }, (_, index) => `X-Trace-Baggage-${index}: ${'v'.repeat(24)}${index}`)];

function parsing(name: string, fields: readonly string[]): MicroCase {
  const text = `GET /catalogue/shoes?page=4 HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`;
  return {
    name,
    run: (iterations) => {
      let total = 0;
      for (let turn = 0; turn < iterations; turn += 1) {
        const head = new RequestHeads().read(text, 0, text.length, MAX_FIELDS);
        if (typeof head === 'string') throw new Error(`the ${name} head was refused: ${head}`);
        total += head.target.length;
      }
      return total;
    },
  };
}

export const head: MicroSubject = {
  name: 'head',
  summary: 'parsing a request head',
  cases: () => [
    parsing(`${SMALL.length} fields`, SMALL),
    parsing(`${BROWSER.length} fields, a browser`, BROWSER),
    parsing(`${LONG.length} fields`, LONG),
  ],
};
