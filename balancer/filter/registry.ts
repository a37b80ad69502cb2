// The list of filters. Its order is the order in which a route's filters run on the request, whatever the file's order.
import type { FilterDefinition } from './filter.ts';
import { grpcWeb } from './grpc-web.ts';
import { headers } from './headers.ts';
import { requestId } from './request-id.ts';

export const FILTERS: readonly FilterDefinition[] = [grpcWeb, requestId, headers];
