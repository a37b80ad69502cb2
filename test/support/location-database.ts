// Files in the MMDB format, version 2.0, as its specification describes them: a tree of address bits, records, metadata.
import { isIP } from 'node:net';

/** Strings, numbers of 32 bits, maps and lists of them. */
type Value = string | number | readonly Value[] | { readonly [key: string]: Value };

const MARKER = Buffer.concat([Buffer.from([0xab, 0xcd, 0xef]), Buffer.from('MaxMind.com')]);
const SEPARATOR = Buffer.alloc(16);
const [STRING, UINT32, MAP, LIST] = [2, 6, 7, 11];
/** Types above are written in a byte of their own. */
const LAST_SHORT_TYPE = 7;
const SHORT_SIZE = 28;
const V4_BITS = 96;

/** A node has two sides, each another node, a record, or nothing. */
interface Node {
  readonly sides: [Node | Record | null, Node | Record | null];
}

interface Record {
  readonly offset: number;
}

/** A database that knows these blocks, of IPv4 or IPv6. */
export function locationDatabase(blocks: Readonly<{ [block: string]: Value }>): Buffer {
  const root: Node = { sides: [null, null] };
  const data: Buffer[] = [];
  let offset = 0;
  for (const [block, value] of Object.entries(blocks)) {
    insert(root, bitsOf(block), { offset });
    const bytes = encode(value);
    data.push(bytes);
    offset += bytes.length;
  }
  const { nodes, bytes } = tree(root);
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_700_000_000,
    database_type: 'Test-City',
    description: { en: 'made for a test' },
    ip_version: 6,
    languages: ['en'],
    node_count: nodes,
    record_size: 24,
  });
  return Buffer.concat([bytes, SEPARATOR, ...data, MARKER, metadata]);
}

function insert(root: Node, bits: readonly number[], record: Record): void {
  let node = root;
  for (const [depth, bit] of bits.entries()) {
    const side = bit === 0 ? 0 : 1;
    if (depth === bits.length - 1) {
      node.sides[side] = record;
      return;
    }
    let next = node.sides[side];
    if (next === null || 'offset' in next) node.sides[side] = next = { sides: [next, next] };
    node = next;
  }
}

/** IPv4 stands under 96 zero bits. */
function bitsOf(block: string): readonly number[] {
  const [address = '', prefix = ''] = block.split('/');
  const isV4 = isIP(address) === 4;
  const bytes = isV4 ? address.split('.').map(Number) : v6Bytes(address);
  const bits = bytes.flatMap((byte) => Array.from({ length: 8 }, (_, bit) => (byte >> (7 - bit)) & 1));
  const own = bits.slice(0, Number(prefix));
  return isV4 ? [...Array.from({ length: V4_BITS }, () => 0), ...own] : own;
}

function v6Bytes(address: string): readonly number[] {
  const [left = '', right = ''] = address.split('::');
  const groups = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => parseInt(group, 16)));
  const [first, last] = [groups(left), groups(right)];
  const all = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
  return all.flatMap((group) => [group >> 8, group & 0xff]);
}

function tree(root: Node): { readonly nodes: number; readonly bytes: Buffer } {
  const order: Node[] = [root];
  const numbers = new Map<Node, number>([[root, 0]]);
  for (const node of order)
    for (const side of node.sides)
      if (side !== null && 'sides' in side) {
        numbers.set(side, order.length);
        order.push(side);
      }
  const numberOf = (side: Node | Record | null): number => {
    if (side === null) return order.length;
    return 'sides' in side ? (numbers.get(side) ?? 0) : order.length + SEPARATOR.length + side.offset;
  };
  const bytes = Buffer.alloc(order.length * 6);
  for (const [at, { sides }] of order.entries()) {
    bytes.writeUIntBE(numberOf(sides[0]), at * 6, 3);
    bytes.writeUIntBE(numberOf(sides[1]), at * 6 + 3, 3);
  }
  return { nodes: order.length, bytes };
}

function encode(value: Value): Buffer {
  if (typeof value === 'string') return Buffer.concat([control(STRING, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return Buffer.concat([control(UINT32, bytes.length), bytes]);
  }
  if (isList(value)) return Buffer.concat([control(LIST, value.length), ...value.map(encode)]);
  const entries = Object.entries(value);
  return Buffer.concat([control(MAP, entries.length), ...entries.flatMap(([key, entry]) => [encode(key), encode(entry)])]);
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function control(type: number, size: number): Buffer {
  if (size > SHORT_SIZE) throw new Error('longer values are not needed by any test');
  return type > LAST_SHORT_TYPE ? Buffer.from([size, type - LAST_SHORT_TYPE]) : Buffer.from([(type << 5) | size]);
}
