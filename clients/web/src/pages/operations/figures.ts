/* What is read out of a process's figures. */
import type { PastMinute, ProcessStats } from '@schema';

/** A figure's value, all its samples together. */
export function valueOf(process: ProcessStats | undefined, name: string): number | undefined {
  const figure = process?.figures.find((f) => f.name === name);
  return figure?.samples.reduce((sum, { value }) => sum + value, 0);
}

/* of a minute that has just begun, a rate says nothing */
const LEAST_MS = 15_000;

/** The last hour, without a minute that has just begun. */
export function minutesOf({ past }: ProcessStats): readonly PastMinute[] {
  const minutes = past?.minutes ?? [];
  return minutes.filter(({ ms }, i) => i < minutes.length - 1 || ms >= LEAST_MS);
}

export const failedPart = ({ calls, failed }: PastMinute): number => (calls ? failed / calls : 0);

export function callsIn(minutes: readonly PastMinute[]): { calls: number; failed: number } {
  return minutes.reduce((sum, { calls, failed }) => ({ calls: sum.calls + calls, failed: sum.failed + failed }), { calls: 0, failed: 0 });
}

/** The buckets of several minutes together. */
export function latencies(minutes: readonly PastMinute[]): number[] {
  const sum: number[] = [];
  for (const { took } of minutes) took.forEach((n, i) => (sum[i] = (sum[i] ?? 0) + n));
  return sum;
}

/** What a part of all stayed below, in µs, as far as buckets tell: within one, evenly. Above the last bound: that bound. Undefined of none. */
export function quantile(buckets: readonly number[], bounds: readonly number[], part: number): number | undefined {
  const all = buckets.reduce((a, b) => a + b, 0);
  if (!all) return undefined;
  let rest = part * all;
  for (const [i, n] of buckets.entries()) {
    const upper = bounds[i];
    const lower = bounds[i - 1] ?? 0;
    if (upper === undefined) return lower;
    if (n && rest <= n) return lower + ((upper - lower) * rest) / n;
    rest -= n;
  }
  return bounds.at(-1);
}
