// A network of its own for processes of a test, joined to that of the test by a pair of interfaces, which can be cut.
import { spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import type { Where } from './lost-cluster.ts';

export interface Namespace {
  readonly where: Where;
  /** At which processes inside reach those of the test. */
  readonly gateway: string;
  /** Nothing comes back any more, not even a reset. */
  readonly vanish: () => void;
  /** Nothing goes through in either direction, and nobody is told. */
  readonly cut: () => void;
  readonly heal: () => void;
}

let made = 0;

/** A text: why there is none here. */
export function makeNamespace(t: TestContext): Namespace | string {
  const number = made++;
  const name = `weir${process.pid}n${number}`;
  // A block of four of 198.18.0.0/16 (RFC 2544) for each: what another process left behind is in nobody's way.
  const block = (process.pid * 4 + number) % 16_384;
  const address = (last: number): string => `198.18.${block >> 6}.${(block % 64) * 4 + last}`;
  t.after(() => void problemWith(`ip netns del ${name}`));
  const inside = `ip netns exec ${name}`;
  const steps = [
    `ip netns add ${name}`,
    `ip link add ${name} type veth peer name edge netns ${name}`,
    `ip addr add ${address(1)}/30 dev ${name}`,
    `ip link set ${name} up`,
    `${inside} ip addr add ${address(2)}/30 dev edge`,
    `${inside} ip link set edge up`,
    `${inside} ip link set lo up`,
  ];
  for (const step of steps) {
    const problem = problemWith(step);
    if (problem !== '') return problem;
  }
  return {
    where: { host: address(2), enter: inside.split(' ') },
    gateway: address(1),
    vanish: () => run(`${inside} ip route add blackhole ${address(1)}/32`),
    cut: () => run(`ip link set ${name} down`),
    heal: () => run(`ip link set ${name} up`),
  };
}

function problemWith(line: string): string {
  const [command = '', ...args] = line.split(' ');
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? '' : `${line}: ${error?.message ?? stderr.trim()}`;
}

function run(line: string): void {
  const problem = problemWith(line);
  if (problem !== '') throw new Error(problem);
}
