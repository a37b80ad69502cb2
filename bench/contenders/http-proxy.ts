// http-proxy from npm with a keep-alive agent, in one Node process.
import type { Contender } from '../contender.ts';
import { packageAvailability, startNodeProgram } from './node-program.ts';

export const httpProxyContender: Contender = {
  name: 'http-proxy',
  summary: 'node:http in and out, keep-alive agent of 1024 connections, 1 process',
  available: () => packageAvailability('http-proxy'),
  start: (setting) => startNodeProgram('http-proxy', 'http-proxy-process.ts', setting),
};
