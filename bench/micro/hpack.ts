// Micro bench of HPACK: reading and writing the head of a browser's request, by how its fields are coded.
import { Decoded, HpackDecoder } from '../../balancer/http2/hpack-decoder.ts';
import { FieldEncoder } from '../../balancer/http2/hpack-encoder.ts';
import type { Fields } from '../../balancer/message/fields.ts';
import type { MicroCase, MicroSubject } from './harness.ts';

const FIELDS: Fields = [
  ...[':method', 'GET', ':scheme', 'https', ':authority', 'shop.example.com', ':path', '/catalogue/shoes?page=4'],
  ...['user-agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
  ...['accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'accept-language', 'en-US,en;q=0.5'],
  ...['accept-encoding', 'gzip, deflate, br, zstd', 'referer', 'https://shop.example.com/catalogue/shoes?page=3'],
  ...['sec-fetch-dest', 'document', 'sec-fetch-mode', 'navigate', 'sec-fetch-site', 'same-origin', 'priority', 'u=0, i'],
];
/** Index of the newest entry of the dynamic table. */
const NEWEST = 62;

function decoding(name: string, first: string, block: string): MicroCase {
  const decoder = new HpackDecoder(4096, 65_536);
  if (first !== '' && decoder.decode(first, []) !== Decoded.Well) throw new Error(`${name}: the first block was refused`);
  return {
    name: `decode, ${name}`,
    run: (iterations) => {
      let total = 0;
      for (let turn = 0; turn < iterations; turn += 1) {
        const fields: Fields = [];
        if (decoder.decode(block, fields) !== Decoded.Well) throw new Error(`${name}: the block was refused`);
        total += fields.length;
      }
      return total;
    },
  };
}

/** `fresh`: a value that never came before is among them. */
function encoding(name: string, huffman: boolean, fresh: boolean): MicroCase {
  const encoder = new FieldEncoder(huffman);
  return {
    name: `encode, ${name}`,
    run: (iterations) => {
      let total = 0;
      for (let turn = 0; turn < iterations; turn += 1) {
        let block = encoder.block(FIELDS);
        if (fresh) block += encoder.line('x-trace', `${turn}`);
        total += block.length;
      }
      return total;
    },
  };
}

/** All as literals that enter the table, and a block that refers to nothing else. */
function tabled(): readonly [string, string] {
  const plain = new FieldEncoder(false);
  let first = '';
  let count = 0;
  for (let i = 8; i < FIELDS.length; i += 2) {
    const [name = '', value = ''] = FIELDS.slice(i, i + 2);
    first += `\x40${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`;
    count += 1;
  }
  const references = Array.from({ length: count }, (_, back) => String.fromCharCode(0x80 | (NEWEST + count - 1 - back)));
  return [first, plain.block(FIELDS.slice(0, 8)) + references.join('')];
}

export const hpack: MicroSubject = {
  name: 'hpack',
  summary: 'the header block of a request with 13 fields',
  cases: () => [
    decoding('from the tables', ...tabled()),
    decoding('literals', '', new FieldEncoder(false).block(FIELDS)),
    decoding('literals in the Huffman code', '', new FieldEncoder(true).block(FIELDS)),
    encoding('remembered lines', false, false),
    encoding('one line new', false, true),
    encoding('one line new, Huffman code', true, true),
  ],
};
