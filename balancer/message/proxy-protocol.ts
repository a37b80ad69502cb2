// The header of the PROXY protocol, versions 1 and 2: who really connected, as the proxy before us tells it. Strict and bounded.
import { isIP } from 'node:net';

/** One end of the connection that the header speaks of. */
export interface ProxyEnd {
  readonly address: string;
  readonly port: number;
}

export interface ProxyEnds {
  readonly source: ProxyEnd;
  readonly destination: ProxyEnd;
}

/**
 * What the first bytes of a connection are. `incomplete`: the begin of a header, read on. `absent`: no header at all.
 * `ends` null: the proxy speaks for itself (LOCAL), or does not know: the addresses of the connection itself count.
 */
export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'malformed'; readonly problem: string }
  | { readonly kind: 'header'; readonly length: number; readonly ends: ProxyEnds | null };

export type ProxyVersion = 'v1' | 'v2';

/** Section 2.1: the longest line of version 1, CRLF included. */
const V1_MAX_BYTES = 107;
const V1_BEGIN = Buffer.from('PROXY ', 'latin1');
const V2_SIGNATURE = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);
const V2_FIXED_BYTES = 16;
/** The format allows 64 KiB. Addresses and what proxies tell of TLS need a few hundred bytes; a sender without bound is not served. */
const V2_MAX_BYTES = V2_FIXED_BYTES + 4096;
const V2_LOCAL = 0x20;
const V2_PROXY = 0x21;
const TYPE_CRC32C = 0x03;
const INCOMPLETE: ProxyHeader = { kind: 'incomplete' };
const ABSENT: ProxyHeader = { kind: 'absent' };

/** Bytes of addresses and ports by family and transport (section 2.2). Datagrams cannot be what a stream was opened for. */
const V2_FAMILIES: ReadonlyMap<number, number> = new Map([
  [0x00, 0],
  [0x11, 12],
  [0x21, 36],
  [0x31, 216],
]);

const malformed = (problem: string): ProxyHeader => ({ kind: 'malformed', problem });

/** Looks for a header at the begin of `bytes`. Never asks for more than a bounded number of them. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (begins(bytes, V2_SIGNATURE)) return bytes.length < V2_FIXED_BYTES ? INCOMPLETE : readV2(bytes);
  return begins(bytes, V1_BEGIN) ? readV1(bytes) : ABSENT;
}

/** Whether `bytes` is `mark`, or as much of it as has come. */
function begins(bytes: Buffer, mark: Buffer): boolean {
  const length = Math.min(bytes.length, mark.length);
  return bytes.compare(mark, 0, length, 0, length) === 0;
}

function readV1(bytes: Buffer): ProxyHeader {
  const text = bytes.toString('latin1', 0, Math.min(bytes.length, V1_MAX_BYTES));
  const end = text.indexOf('\r\n');
  if (end < 0) return bytes.length >= V1_MAX_BYTES ? malformed(`no end of the line within ${V1_MAX_BYTES} bytes`) : INCOMPLETE;
  const length = end + 2;
  const [, protocol = '', ...parts] = text.slice(0, end).split(' ');
  // What stands behind UNKNOWN is to be ignored.
  if (protocol === 'UNKNOWN') return { kind: 'header', length, ends: null };
  const family = protocol === 'TCP4' ? 4 : protocol === 'TCP6' ? 6 : 0;
  if (family === 0) return malformed('neither TCP4, TCP6 nor UNKNOWN');
  const [source = '', destination = '', sourcePort = '', destinationPort = ''] = parts;
  if (parts.length !== 4) return malformed('not two addresses and two ports');
  if (!isAddress(source, family) || !isAddress(destination, family)) return malformed(`not two addresses of ${protocol}`);
  if (!isPort(sourcePort) || !isPort(destinationPort)) return malformed('not two ports');
  const ends = {
    source: { address: source, port: Number(sourcePort) },
    destination: { address: destination, port: Number(destinationPort) },
  };
  return { kind: 'header', length, ends };
}

const isAddress = (text: string, family: number): boolean => isIP(text) === family && !text.includes('%');

/** Decimal, without zeros in front. */
const isPort = (text: string): boolean => /^(?:0|[1-9][0-9]{0,4})$/.test(text) && Number(text) <= 65_535;

function readV2(bytes: Buffer): ProxyHeader {
  const command = bytes.readUInt8(12);
  if (command !== V2_LOCAL && command !== V2_PROXY) return malformed(`version and command 0x${command.toString(16)}`);
  const length = V2_FIXED_BYTES + bytes.readUInt16BE(14);
  if (length > V2_MAX_BYTES) return malformed(`${length} bytes; at most ${V2_MAX_BYTES} are taken`);
  if (bytes.length < length) return INCOMPLETE;
  // Of a connection of the proxy's own, such as a health check, the rest is to be skipped whatever it says.
  if (command === V2_LOCAL) return { kind: 'header', length, ends: null };
  const family = bytes.readUInt8(13);
  const addressBytes = V2_FAMILIES.get(family);
  if (addressBytes === undefined) return malformed(`family and transport 0x${family.toString(16)}`);
  if (length < V2_FIXED_BYTES + addressBytes) return malformed('shorter than its addresses');
  // An unspecified family may have addresses of a kind nobody knows, which cannot be told from what follows them.
  const problem = addressBytes === 0 ? null : extensionProblem(bytes.subarray(0, length), V2_FIXED_BYTES + addressBytes);
  if (problem !== null) return malformed(problem);
  const addressLength = family === 0x11 ? 4 : family === 0x21 ? 16 : 0;
  return { kind: 'header', length, ends: addressLength === 0 ? null : endsAt(bytes, addressLength) };
}

function endsAt(bytes: Buffer, addressLength: number): ProxyEnds {
  const at = V2_FIXED_BYTES;
  const ports = at + 2 * addressLength;
  return {
    source: { address: addressText(bytes.subarray(at, at + addressLength)), port: bytes.readUInt16BE(ports) },
    destination: { address: addressText(bytes.subarray(at + addressLength, ports)), port: bytes.readUInt16BE(ports + 2) },
  };
}

/** Walks the type-length-values from `at` on: skipped, but whole, and the checksum must be right where there is one. */
function extensionProblem(header: Buffer, at: number): string | null {
  for (let next = at; next < header.length;) {
    if (next + 3 > header.length) return 'an extension is cut off';
    const [type, length] = [header.readUInt8(next), header.readUInt16BE(next + 1)];
    const value = next + 3;
    next = value + length;
    if (next > header.length) return 'an extension is longer than the header';
    if (type !== TYPE_CRC32C) continue;
    if (length !== 4) return 'a checksum of another size than 4 bytes';
    // Section 2.2.3: computed with the field of the checksum itself as zeros.
    const zeroed = Buffer.from(header);
    zeroed.fill(0, value, next);
    if (crc32c(zeroed) !== header.readUInt32BE(value)) return 'the checksum is wrong';
  }
  return null;
}

/** The shortest spelling is not needed; one that `isIP` takes is. IPv4 mapped into IPv6 is IPv4. */
function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index));
  if (groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)) return bytes.subarray(12).join('.');
  return compressed(groups);
}

/** RFC 5952: lower case, the first of the longest runs of zeros as `::`. */
function compressed(groups: readonly number[]): string {
  let [best, bestLength] = [-1, 1];
  for (let start = 0; start < groups.length; start += 1) {
    let end = start;
    while (groups[end] === 0) end += 1;
    if (end - start > bestLength) [best, bestLength] = [start, end - start];
  }
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  return best < 0 ? text(groups) : `${text(groups.slice(0, best))}::${text(groups.slice(best + bestLength))}`;
}

/** The header to send first on a connection; `ends` null: it is one of our own (version 1: UNKNOWN, version 2: LOCAL). */
export function proxyHeader(version: ProxyVersion, ends: ProxyEnds | null): Buffer {
  return version === 'v1' ? v1Header(ends) : v2Header(ends);
}

function v1Header(ends: ProxyEnds | null): Buffer {
  if (ends === null) return Buffer.from('PROXY UNKNOWN\r\n', 'latin1');
  const { source, destination } = ends;
  const four = isIP(source.address) === 4 && isIP(destination.address) === 4;
  const [from, to] = four ? [source.address, destination.address] : [sixText(source.address), sixText(destination.address)];
  return Buffer.from(`PROXY ${four ? 'TCP4' : 'TCP6'} ${from} ${to} ${source.port} ${destination.port}\r\n`, 'latin1');
}

function v2Header(ends: ProxyEnds | null): Buffer {
  if (ends === null) return Buffer.concat([V2_SIGNATURE, Buffer.from([V2_LOCAL, 0, 0, 0])]);
  const { source, destination } = ends;
  const four = isIP(source.address) === 4 && isIP(destination.address) === 4;
  const bytesOf = four ? fourBytes : sixBytes;
  const body = Buffer.concat([bytesOf(source.address), bytesOf(destination.address), Buffer.alloc(4)]);
  body.writeUInt16BE(source.port, body.length - 4);
  body.writeUInt16BE(destination.port, body.length - 2);
  return Buffer.concat([V2_SIGNATURE, Buffer.from([V2_PROXY, four ? 0x11 : 0x21, 0, body.length]), body]);
}

/** A zone means nothing on another machine. */
const sixText = (address: string): string => (isIP(address) === 4 ? `::ffff:${address}` : address.replace(/%.*$/, ''));
const fourBytes = (address: string): Buffer => Buffer.from(address.split('.').map(Number));

/** `address` is IPv6, or IPv4 that stands beside IPv6 and is mapped into it. */
function sixBytes(address: string): Buffer {
  const text = sixText(address);
  const dotted = /^(.*:)([0-9.]+)$/.exec(text);
  const tail = dotted?.[2]?.includes('.') === true ? fourBytes(dotted[2]) : null;
  const plain = tail === null ? text : `${dotted?.[1] ?? ''}${tail.toString('hex', 0, 2)}:${tail.toString('hex', 2)}`;
  const [head = '', rest] = plain.split('::');
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const [left, right] = [groups(head), groups(rest ?? '')];
  const bytes = Buffer.alloc(16);
  left.forEach((group, index) => bytes.writeUInt16BE(group, 2 * index));
  right.forEach((group, index) => bytes.writeUInt16BE(group, 2 * (8 - right.length + index)));
  return bytes;
}

/** Castagnoli's polynomial, reflected. */
const CRC32C_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

/** CRC32C of RFC 3309 (section 2.2.3 of the protocol). */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (CRC32C_TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
