// Peak EWMA: up at once, down slowly, fading while nothing is observed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeakEwma } from '../../../health/ewma.ts';

const close = (actual: number, expected: number): void => {
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);
};

test('before the first observation the initial value stands and does not fade', () => {
  const ewma = new PeakEwma(10_000, 1000);
  assert.equal(ewma.value(0), 1000);
  assert.equal(ewma.value(1e9), 1000);
});

test('the first observation replaces the initial value', () => {
  const ewma = new PeakEwma(10_000, 1000);
  ewma.observe(3, 500);
  assert.equal(ewma.value(500), 3);
});

test('a slower answer counts in full at once', () => {
  const ewma = new PeakEwma(10_000, 1000);
  ewma.observe(3, 0);
  ewma.observe(800, 1);
  assert.equal(ewma.value(1), 800);
});

test('faster answers bring it down by the time that passed', () => {
  const ewma = new PeakEwma(10_000, 1000);
  ewma.observe(100, 0);
  ewma.observe(10, 10_000);
  close(ewma.value(10_000), 100 / Math.E + 10 * (1 - 1 / Math.E));
});

test('it fades while nothing is observed', () => {
  const ewma = new PeakEwma(10_000, 1000);
  ewma.observe(100, 0);
  close(ewma.value(20_000), 100 / Math.E ** 2);
});

test('a clock that steps back changes nothing', () => {
  const ewma = new PeakEwma(10_000, 1000);
  ewma.observe(100, 5000);
  ewma.observe(50, 4000);
  assert.equal(ewma.value(3000), 100);
});
