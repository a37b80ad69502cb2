// A question to all workers ends when all have answered, or when the time is over; who is silent is named.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentQuestions } from '../../../balancer/controller/recent-questions.ts';
import { ManualClock } from '../../support/manual-clock.ts';

test('the answers of all workers come together', async () => {
  const questions = new RecentQuestions(new ManualClock());
  const answer = questions.ask(['w1', 'w2'], (question) => {
    questions.answer('w1', question, []);
    questions.answer('w2', question, []);
  });
  assert.deepEqual(await answer, { traces: [], silent: [] });
});

test('a worker that does not answer in time is named, and its late answer disturbs nothing', async () => {
  const clock = new ManualClock();
  const questions = new RecentQuestions(clock);
  let asked = 0;
  const answer = questions.ask(['w1', 'w2'], (question) => {
    asked = question;
    questions.answer('w2', question, []);
  });
  clock.advance(2000);
  assert.deepEqual((await answer).silent, ['w1']);
  questions.answer('w1', asked, []);
});

test('without workers nobody is waited for', async () => {
  assert.deepEqual(await new RecentQuestions(new ManualClock()).ask([], () => undefined), { traces: [], silent: [] });
});
