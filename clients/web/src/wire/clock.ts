/* The desk's clock, by which everything here is told: a browser's own may be wrong by days. */
import { signal } from '@preact/signals';

/* The desk tells its time in whole seconds, and a network takes some: below this, a browser's clock is as good. */
const GOOD_MS = 60_000;

/** How far the desk's clock is ahead of this browser's. */
export const aheadMs = signal(0);

/** The time at the desk. */
export const deskNow = (now: () => number = Date.now): number => now() + aheadMs.peek();

/** The desk has answered: it is `desk` there, and `here` here. */
export function compareClocks(desk: number, here: number): void {
  if (!Number.isNaN(desk)) aheadMs.value = Math.abs(desk - here) < GOOD_MS ? 0 : desk - here;
}
