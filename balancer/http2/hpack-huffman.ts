// The Huffman code of HPACK (RFC 7541 section 5.2 and appendix B): decoded four bits at a time by a table, encoded byte by byte.
import { latin1 } from '../socket/latin1.ts';

/** Bits of the code of each byte, one digit of base 36 a byte. The code is canonical, so the lengths are all of it. */
const LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca' +
  'd67777777777777777777777878djde6f56565666577666567655677777fbeds' +
  'kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn' +
  'qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq';
const EOS = 256;
const EOS_BITS = 30;

const bits = new Uint8Array(EOS + 1);
const codes = new Uint32Array(EOS + 1);

/** Of a step: the node that follows, whether the text may end there, whether a byte came out and which. */
const NODE = 0xff;
const MAY_END = 0x100;
const EMITS = 0x200;
const BYTE_SHIFT = 10;
const FAILS = -1;
/** steps[node * 16 + four bits]. There are 256 inner nodes, since there are 257 leaves. */
const steps = new Int32Array(256 * 16);
build();

function build(): void {
  for (let symbol = 0; symbol < EOS; symbol += 1) bits[symbol] = Number.parseInt(LENGTHS.charAt(symbol), 36);
  bits[EOS] = EOS_BITS;
  const order = Array.from({ length: EOS + 1 }, (_, symbol) => symbol).sort((a, b) => (bits[a] ?? 0) - (bits[b] ?? 0) || a - b);
  let code = 0;
  let length = 0;
  for (const symbol of order) {
    code *= 2 ** ((bits[symbol] ?? 0) - length);
    length = bits[symbol] ?? 0;
    codes[symbol] = code;
    code += 1;
  }
  buildSteps(buildTree());
}

/** Children of inner nodes, two a node: an inner node, or minus one minus the symbol of a leaf. */
function buildTree(): Int32Array {
  const children = new Int32Array(256 * 2);
  let nodes = 1;
  for (let symbol = 0; symbol <= EOS; symbol += 1) {
    const length = bits[symbol] ?? 0;
    let node = 0;
    for (let bit = length - 1; bit >= 0; bit -= 1) {
      const at = node * 2 + (((codes[symbol] ?? 0) >>> bit) & 1);
      if (bit === 0) children[at] = -1 - symbol;
      else if (children[at] === 0) {
        children[at] = nodes;
        nodes += 1;
      }
      node = children[at] ?? 0;
    }
  }
  return children;
}

function buildSteps(children: Int32Array): void {
  // The text may end at the root, or up to seven ones below it: padding is the beginning of EOS and shorter than a byte.
  const mayEnd = new Set([0]);
  for (let node = 0, depth = 0; depth < 7; depth += 1) {
    node = children[node * 2 + 1] ?? 0;
    mayEnd.add(node);
  }
  for (let node = 0; node < 256; node += 1)
    for (let four = 0; four < 16; four += 1) steps[node * 16 + four] = stepFrom(children, node, four, mayEnd);
}

function stepFrom(children: Int32Array, from: number, four: number, mayEnd: ReadonlySet<number>): number {
  let node = from;
  let emitted = 0;
  for (let bit = 3; bit >= 0; bit -= 1) {
    node = children[node * 2 + ((four >>> bit) & 1)] ?? 0;
    if (node >= 0) continue;
    const symbol = -1 - node;
    if (symbol === EOS) return FAILS;
    // The shortest code is five bits long: four bits never end two.
    emitted = EMITS | (symbol << BYTE_SHIFT);
    node = 0;
  }
  return emitted | (mayEnd.has(node) ? MAY_END : 0) | node;
}

let scratch: Buffer = Buffer.allocUnsafeSlow(4096);

/** The text coded in `block` from `at` to `end`; null when the code is broken: EOS in it, or padding that is not less than a byte of ones. */
export function huffmanDecode(block: string, at: number, end: number): string | null {
  // Five bits are the least a byte takes.
  const most = Math.ceil(((end - at) * 8) / 5);
  if (most > scratch.length) scratch = Buffer.allocUnsafeSlow(most);
  const bytes = scratch;
  let length = 0;
  let step = MAY_END;
  for (let i = at; i < end; i += 1) {
    const byte = block.charCodeAt(i);
    step = steps[(step & NODE) * 16 + (byte >>> 4)] ?? FAILS;
    if (step === FAILS) return null;
    if ((step & EMITS) !== 0) bytes[length++] = step >>> BYTE_SHIFT;
    step = steps[(step & NODE) * 16 + (byte & 15)] ?? FAILS;
    if (step === FAILS) return null;
    if ((step & EMITS) !== 0) bytes[length++] = step >>> BYTE_SHIFT;
  }
  return (step & MAY_END) === 0 ? null : latin1(bytes, 0, length);
}

/** Bytes that `text` takes when it is coded. */
export function huffmanLength(text: string): number {
  let total = 0;
  for (let i = 0; i < text.length; i += 1) total += bits[text.charCodeAt(i)] ?? 0;
  return (total + 7) >>> 3;
}

/** Codes `text`, whose characters are bytes. */
export function huffmanEncode(text: string): string {
  let coded = '';
  let pending = 0;
  let count = 0;
  for (let i = 0; i < text.length; i += 1) {
    const byte = text.charCodeAt(i);
    let left = bits[byte] ?? 0;
    const code = codes[byte] ?? 0;
    // A code and what is pending are more than 32 bits together: taken in parts that fill a byte.
    while (left > 0) {
      const take = Math.min(8 - count, left);
      left -= take;
      pending = (pending << take) | ((code >>> left) & ((1 << take) - 1));
      count += take;
      if (count < 8) continue;
      coded += String.fromCharCode(pending);
      pending = 0;
      count = 0;
    }
  }
  if (count > 0) coded += String.fromCharCode(((pending << (8 - count)) | (0xff >>> count)) & 0xff);
  return coded;
}
