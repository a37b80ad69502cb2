// What is read from the report of h2load, and what is not taken for one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeH2load } from '../../../bench/workloads/h2-requests.ts';

const REPORT = `starting benchmark...
spawning thread #0: 16 total client(s). Timing-based test with 1s of warm-up time and 2s of main duration for measurements.
TLS Protocol: TLSv1.3
Cipher: TLS_AES_256_GCM_SHA384
Application protocol: h2

finished in 2.01s, 8040.00 req/s, 1.32MB/s
requests: 16080 total, 16208 started, 16080 done, 16070 succeeded, 10 failed, 3 errored, 5 timeout
status codes: 16060 2xx, 0 3xx, 0 4xx, 10 5xx
traffic: 2.65MB (2776320) total, 910.24KB (932084) headers (space savings 46.15%), 1.53MB (1604000) data
                     min         max         mean         sd        +/- sd
time for request:      512us     19.85ms      1.88ms      1.16ms    83.68%
time for connect:    20.42ms     44.84ms     29.90ms      7.76ms    56.25%
`;

test('requests, rate and failures are read; answers with another status are failures', () => {
  assert.deepEqual(decodeH2load(REPORT), {
    requests: 16060,
    seconds: 16070 / 8040,
    p50Ms: null,
    p99Ms: null,
    failed: 10 + 2 + 10,
    meanMs: 1.88,
  });
});

test('a run that fell back to HTTP/1.1, or did nothing, has no figures', () => {
  assert.equal(decodeH2load(REPORT.replace('Application protocol: h2', 'Application protocol: http/1.1')), null);
  assert.equal(decodeH2load(REPORT.replace('8040.00 req/s', '0.00 req/s')), null);
  assert.equal(decodeH2load('Could not connect to host\n'), null);
});
