// Micro bench of the frame reader: what a request, and the DATA of a body, cost by how their bytes are cut.
import { dataHead, headersFrames, pingFrame, windowUpdateFrame } from '../../balancer/http2/frame.ts';
import { FrameReader, type FrameSink } from '../../balancer/http2/frame-reader.ts';
import { FieldEncoder } from '../../balancer/http2/hpack-encoder.ts';
import type { MicroCase, MicroSubject } from './harness.ts';

const MAX_FRAME = 16_384;
const FRAMES = 64;

/** Counts what it is told, so that nothing can be left out. */
class Counting implements FrameSink {
  told = 0;

  onData(_streamId: number, piece: Buffer): void {
    this.told += piece.length;
  }

  onHeaders(streamId: number, block: string): void {
    this.told += streamId + block.length;
  }

  onRstStream(streamId: number): void {
    this.told += streamId;
  }

  onSettings(payload: string): void {
    this.told += payload.length;
  }

  onPing(opaque: string): void {
    this.told += opaque.length;
  }

  onGoAway(lastStreamId: number): void {
    this.told += lastStreamId;
  }

  onWindowUpdate(_streamId: number, increment: number): void {
    this.told += increment;
  }

  onIgnored(type: number): void {
    this.told += type;
  }
}

/** One iteration is one of the frames, which come in reads of `readBytes`. */
function reading(name: string, frame: string, readBytes: number): MicroCase {
  const all = Buffer.from(frame.repeat(FRAMES), 'latin1');
  const reads: Buffer[] = [];
  for (let at = 0; at < all.length; at += readBytes) reads.push(all.subarray(at, at + readBytes));
  const sink = new Counting();
  const reader = new FrameReader(sink, { maxFrame: MAX_FRAME, maxBlock: 65_536, maxContinuations: 8 });
  return {
    name,
    run: (iterations) => {
      for (let turn = 0; turn < iterations; turn += FRAMES)
        for (const read of reads) if (reader.feed(read) !== 0) throw new Error(`${name}: ${reader.problem}`);
      return sink.told;
    },
  };
}

const FIELDS = [':method', 'GET', ':scheme', 'https', ':authority', 'shop.example.com', ':path', '/catalogue', 'accept', '*/*'];
const HEADERS = headersFrames(new FieldEncoder(false).block(FIELDS), 1, true, MAX_FRAME);
const data = (length: number): string => dataHead(length, 1, false) + 'x'.repeat(length);

export const frames: MicroSubject = {
  name: 'frames',
  summary: 'reading one frame',
  cases: () => [
    reading('HEADERS, whole', HEADERS, 65_536),
    reading('HEADERS, in reads of 50 bytes', HEADERS, 50),
    reading('PING', pingFrame('12345678', false), 65_536),
    reading('WINDOW_UPDATE', windowUpdateFrame(1, 1000), 65_536),
    reading('DATA of 100 bytes', data(100), 65_536),
    reading('DATA of 16 KiB', data(MAX_FRAME), 65_536),
  ],
};
