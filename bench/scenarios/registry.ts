// Every scenario of `npm run bench -- SCENARIO`. A new one is a new file and a line here.
import type { Scenario } from '../scenario.ts';
import { micro } from './micro.ts';
import { proxy } from './proxy.ts';
import { routes } from './routes.ts';

export const SCENARIOS: readonly Scenario[] = [proxy, routes, micro];
