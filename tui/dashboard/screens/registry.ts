// Every screen, in the order of its key. Adding one is its file and a line here; test/contract/screens.test.ts draws it at all sizes.
import type { ScreenDefinition } from '../screen-definition.ts';
import type { ScreenName } from '../state.ts';
import { changesScreen } from './changes.ts';
import { clusterScreen } from './cluster.ts';
import { edgesScreen } from './edges.ts';
import { eventsScreen } from './events.ts';
import { latencyScreen } from './latency.ts';
import { overviewScreen } from './overview.ts';
import { serviceScreen } from './service.ts';
import { servicesScreen } from './services.ts';

export const SCREENS: Readonly<Record<ScreenName, ScreenDefinition>> = {
  overview: overviewScreen,
  services: servicesScreen,
  cluster: clusterScreen,
  changes: changesScreen,
  edges: edgesScreen,
  latency: latencyScreen,
  events: eventsScreen,
  service: serviceScreen,
};

/** Those with a key of their own, through which Tab turns. */
export const TABS: readonly ScreenDefinition[] = Object.values(SCREENS).filter(({ key }) => key !== null);
