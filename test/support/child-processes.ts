// The living children of a process, as Linux lists them.
import { readdirSync, readFileSync } from 'node:fs';

/** The processes whose parent is `parent`, with their titles. */
export function childrenOf(parent: number): readonly { readonly pid: number; readonly title: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // pid (name) state ppid …; the name may hold anything but ends at the last parenthesis.
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const [state, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        if (Number(ppid) !== parent || state === 'Z') return [];
        return [{ pid: Number(name), title: readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() }];
      } catch {
        return [];
      }
    });
}
