// Every subject of `npm run bench -- micro`. A new one is a new file and a line here.
import type { MicroSubject } from './harness.ts';
import { filters } from './filters.ts';
import { frames } from './frames.ts';
import { head } from './head.ts';
import { hpack } from './hpack.ts';
import { pick } from './pick.ts';
import { planSubject } from './plan.ts';
import { router } from './router.ts';
import { split } from './split.ts';
import { steer } from './steer.ts';
import { telling } from './telling.ts';

export const SUBJECTS: readonly MicroSubject[] = [head, hpack, frames, router, split, steer, pick, planSubject, filters, telling];
