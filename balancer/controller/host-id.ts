// By what a host is known in its fleet, whatever it is called.
import { randomUUID } from 'node:crypto';
import type { Store } from '../store/store.ts';

const KEY = 'host.id';

/** Random, made once: a host keeps it over restarts and changes of name. */
export function hostId(store: Pick<Store, 'getValue' | 'putValue'>): string {
  const known = store.getValue(KEY);
  if (known !== null) return known;
  const id = randomUUID();
  store.putValue(KEY, id);
  return id;
}
