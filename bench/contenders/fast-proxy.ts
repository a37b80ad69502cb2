// fast-proxy from npm, in its undici mode, in one Node process.
import type { Contender } from '../contender.ts';
import { packageAvailability, startNodeProgram } from './node-program.ts';

export const fastProxyContender: Contender = {
  name: 'fast-proxy',
  summary: 'node:http in, undici pool of 1024 connections out, 1 process',
  available: () => packageAvailability('fast-proxy'),
  start: (setting) => startNodeProgram('fast-proxy', 'fast-proxy-process.ts', setting),
};
