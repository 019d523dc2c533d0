import { expect, test } from 'vitest';
import { callsIn, failedPart, latencies, minutesOf, quantile, valueOf } from './figures';
import type { PastMinute, ProcessStats } from '@schema';

const minute = (calls: number, failed: number, took: number[]): PastMinute => ({ at: 0, ms: 60_000, calls, failed, refused: 0, took, waiting: 0 });

test('a quantile lies evenly within its bucket, and nowhere of none', () => {
  expect(quantile([10, 0, 0], [100, 200], 0.5)).toBe(50);
  expect(quantile([5, 5, 0], [100, 200], 0.5)).toBe(100);
  expect(quantile([5, 5, 0], [100, 200], 0.75)).toBe(150);
  expect(quantile([0, 0, 3], [100, 200], 0.5)).toBe(200);
  expect(quantile([0, 0, 0], [100, 200], 0.5)).toBeUndefined();
  expect(quantile([], [], 0.5)).toBeUndefined();
});

test('an hour is its minutes together', () => {
  const minutes = [minute(10, 1, [4, 6]), minute(30, 0, [1, 2, 3])];
  expect(callsIn(minutes)).toEqual({ calls: 40, failed: 1 });
  expect(latencies(minutes)).toEqual([5, 8, 3]);
  expect(minutes.map(failedPart)).toEqual([0.1, 0]);
  expect(failedPart(minute(0, 0, []))).toBe(0);
});

test('a figure of many samples is their sum; one that is not there is none', () => {
  const figure = { name: 'calls', help: '', kind: 'counter', unit: 'one', bounds: [], samples: [{ labels: [], value: 2, buckets: [] }, { labels: [], value: 3, buckets: [] }] } as const;
  const process = { figures: [figure] } as unknown as ProcessStats;
  expect(valueOf(process, 'calls')).toBe(5);
  expect(valueOf(process, 'other')).toBeUndefined();
  expect(valueOf(undefined, 'calls')).toBeUndefined();
});

test('a minute that has just begun is left out', () => {
  const past = (...ms: number[]) => ({ past: { minutes: ms.map((n) => ({ ...minute(1, 0, []), ms: n })) } }) as unknown as ProcessStats;
  expect(minutesOf(past(60_000, 14_000)).map(({ ms }) => ms)).toEqual([60_000]);
  expect(minutesOf(past(5_000, 15_000)).map(({ ms }) => ms)).toEqual([5_000, 15_000]);
  expect(minutesOf({} as ProcessStats)).toEqual([]);
});
