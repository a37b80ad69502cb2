// Every contender, in the order of the tables. A new one is a new file and a line here.
import type { Contender } from '../contender.ts';
import { direct } from './direct.ts';
import { fastProxyContender } from './fast-proxy.ts';
import { haproxy } from './haproxy.ts';
import { httpProxyContender } from './http-proxy.ts';
import { nginx } from './nginx.ts';
import { weir } from './weir.ts';

export const CONTENDERS: readonly Contender[] = [weir, nginx, haproxy, fastProxyContender, httpProxyContender, direct];

/** Those that can be wired with TLS and HTTP/2, and the ceiling. */
export const SERVERS: readonly Contender[] = [weir, nginx, haproxy, direct];

/** Those that can be measured without comparing them to the ceiling. */
export const PROXIES: readonly Contender[] = [weir, nginx, haproxy];
