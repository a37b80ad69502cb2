// What this machine tells the config: its cores, its name, which files can be read.
import { accessSync, constants, readFileSync } from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import type { ConfigEnvironment } from './config/completion.ts';

export function hostEnvironment(): ConfigEnvironment {
  return { cores: availableParallelism(), hostName: hostname(), readable: isReadable, textOf };
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
