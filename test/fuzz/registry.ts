// Every fuzz target: one file and one line here for each parser that reads what strangers send.
import type { FuzzTarget } from './target.ts';
import { canonicalPath } from './targets/canonical-path.ts';
import { chunked } from './targets/chunked.ts';
import { config } from './targets/config.ts';
import { hpack } from './targets/hpack.ts';
import { http1Request } from './targets/http1-request.ts';
import { http1Response } from './targets/http1-response.ts';
import { http2Request } from './targets/http2-request.ts';
import { http2Response } from './targets/http2-response.ts';
import { structuredFields } from './targets/structured-fields.ts';

export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  http1Request,
  http1Response,
  chunked,
  http2Request,
  http2Response,
  hpack,
  canonicalPath,
  structuredFields,
  config,
];
