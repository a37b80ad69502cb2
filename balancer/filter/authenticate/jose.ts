// The library that checks signatures, loaded when the first issuer is there: it takes longer to load than everything else of a filter.
import type * as Jose from 'jose';

export const loadJose = (): Promise<typeof Jose> => import('jose');
