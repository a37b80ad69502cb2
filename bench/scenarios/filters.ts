// Scenario `filters`: what each filter costs a request, a part of `micro` under a name of its own.
import type { Scenario } from '../scenario.ts';
import { micro } from './micro.ts';

export const filterCosts: Scenario = {
  name: 'filters',
  summary: 'time that each filter takes of a request and its response, with the options of its page',
  options: micro.options.filter((option) => !option.startsWith('--subjects')),
  run: (args, signal) => micro.run(['--subjects', 'filters', ...args], signal),
};
