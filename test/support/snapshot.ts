// A capacity snapshot as an agent in order sends it; the test says what is different.
import { AGENT_PROTOCOL, type CapacitySnapshot } from '../../agent/protocol.ts';

export function snapshot(wish: Partial<CapacitySnapshot> = {}): CapacitySnapshot {
  return {
    protocol: AGENT_PROTOCOL,
    cluster: 'eu',
    bootId: '0123456789abcdef',
    sequence: 1,
    epoch: Date.parse('2026-11-21T09:59:00.000Z'),
    sentAtMs: Date.parse('2026-11-21T10:00:00.000Z'),
    periodMs: 1000,
    capacityRps: 1200,
    cpuUtilisation: 0.25,
    memoryUtilisation: 0.5,
    cores: 4,
    loadAverage1m: 1.5,
    agentVersion: '0.1.0',
    ...wish,
  };
}
