// An agent reads much and keeps little: V8 is told to collect sooner, rather than to let the heap grow by what comes and goes.
import { setFlagsFromString } from 'node:v8';

/** For the whole process. The heap grows in small steps and its young generation not at all; it costs some more collections, of which an agent has few. */
export function spareMemory(): void {
  setFlagsFromString('--optimize-for-size');
  setFlagsFromString('--semi-space-growth-factor=1');
}
