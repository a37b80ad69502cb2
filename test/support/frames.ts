// HTTP/2 frames for tests: written byte by byte, so that wrong ones can be written too, and recorded as readable lines.
import { frameHead } from '../../balancer/http2/frame.ts';
import type { FrameSink } from '../../balancer/http2/frame-reader.ts';

/** Bytes from hexadecimal digits; spaces between them are for the reader. */
export function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(/\s/g, ''), 'hex');
}

export function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** A frame with any type, flags and payload, right or wrong. */
export function rawFrame(type: number, flags: number, streamId: number, payload: Buffer | string = ''): Buffer {
  const body = typeof payload === 'string' ? bytes(payload) : payload;
  return Buffer.concat([bytes(frameHead(body.length, type, flags, streamId)), body]);
}

/** Writes down what a reader hands on. Pieces of DATA are joined, since where they are cut means nothing. */
export class FrameRecorder implements FrameSink {
  readonly lines: string[] = [];
  readonly bodies = new Map<number, string>();
  flowBytes = 0;

  onData(streamId: number, piece: Buffer, flowBytes: number, endStream: boolean): void {
    this.flowBytes += flowBytes;
    this.bodies.set(streamId, (this.bodies.get(streamId) ?? '') + piece.toString('latin1'));
    if (endStream) this.lines.push(`end of ${streamId}`);
  }

  onHeaders(streamId: number, block: string, endStream: boolean): void {
    this.lines.push(`headers ${streamId} ${Buffer.from(block, 'latin1').toString('hex')}${endStream ? ' end' : ''}`);
  }

  onRstStream(streamId: number, error: number): void {
    this.lines.push(`reset ${streamId} ${error}`);
  }

  onSettings(payload: string, ack: boolean): void {
    this.lines.push(`settings ${Buffer.from(payload, 'latin1').toString('hex')}${ack ? ' ack' : ''}`);
  }

  onPing(opaque: string, ack: boolean): void {
    this.lines.push(`ping ${opaque}${ack ? ' ack' : ''}`);
  }

  onGoAway(lastStreamId: number, error: number, debug: string): void {
    this.lines.push(`goaway ${lastStreamId} ${error} ${debug}`);
  }

  onWindowUpdate(streamId: number, increment: number): void {
    this.lines.push(`window ${streamId} ${increment}`);
  }

  onIgnored(type: number, streamId: number): void {
    this.lines.push(`ignored ${type} ${streamId}`);
  }
}
