import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Cache } from './cache';
import { List, type Listing } from './list';
import { Tickets } from './tickets';
import { code, Failure } from '../wire/failure';
import type { Rpc } from '../wire/rpc';
import type { Ticket } from '@schema';

/** Tickets in an order, which change their places; a cursor is a place in it, as the desk has them. */
class Desk {
  readonly places = new Map<string, number>();
  asked = 0;
  down = false;
  /** What happens while a page is on its way. */
  meanwhile: () => void = () => undefined;

  get order(): string[] {
    return [...this.places].sort((a, b) => a[1] - b[1]).map(([id]) => id);
  }

  call = async (_: string, { after, limit }: { after?: string; limit: number }) => {
    this.asked++;
    await Promise.resolve();
    if (this.down) throw new Failure(code.unreachable, 'down');
    const behind = this.order.filter((id) => after === undefined || this.places.get(id)! > Number(after));
    const items = behind.slice(0, limit).map((id) => ({ id, number: Number(id), unread: 0 }) as unknown as Ticket);
    const answer = { items, ...(behind.length > limit && { next: String(this.places.get(behind[limit - 1]!)) }) };
    this.meanwhile();
    await Promise.resolve();
    return answer;
  };
}

const nothingKept = { seen: () => Promise.resolve(undefined), see: () => undefined } as unknown as Cache;
const open = (desk: Desk, listing: Listing = { kind: 'all' }, cache = nothingKept) => {
  const rpc = desk as unknown as Rpc;
  return new List(listing, rpc, new Tickets(rpc, 'ME', cache), cache);
};
const later = () => vi.advanceTimersByTimeAsync(501);
const all = async (list: List) => {
  while (!list.complete.peek()) await list.more();
};
/** mulberry32 */
const dice = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};

let desk: Desk;

beforeEach(() => {
  vi.useFakeTimers();
  desk = new Desk();
  for (let i = 1; i <= 230; i++) desk.places.set(String(i), i);
});
afterEach(() => void vi.useRealTimers());

test('pages are asked as somebody scrolls, and once each', async () => {
  const list = open(desk);
  await list.open();
  expect(list.ids.value).toEqual(desk.order.slice(0, 50));
  await Promise.all([list.more(), list.more()]);
  expect(list.ids.value).toEqual(desk.order.slice(0, 100));
  await all(list);
  expect(list.ids.value).toEqual(desk.order);
  expect(desk.asked).toBe(5);
});

test('what changed out of view is asked when it comes into view, and costs nothing before', async () => {
  const list = open(desk);
  await all(list);
  list.look(0, 20);
  desk.places.set('210', 120.5);
  list.touched();
  await later();
  expect(desk.asked).toBe(6);
  expect(list.ids.value.indexOf('210')).toBe(209);
  list.look(110, 130);
  await later();
  expect(desk.asked).toBe(7);
  expect(list.ids.value.slice(100, 150)).toEqual(desk.order.slice(100, 150));
  expect(new Set(list.ids.value).size).toBe(list.ids.value.length);
});

test('hundreds that come to the top push nothing out', async () => {
  const list = open(desk);
  await all(list);
  for (let i = 230; i > 60; i--) {
    desk.places.set(String(i), -i);
    list.touched();
  }
  list.look(0, 229);
  for (let i = 0; i < 8; i++) await later();
  expect(list.ids.value).toEqual(desk.order);
});

test('a ticket that comes behind the end of a full last page is found', async () => {
  for (let i = 201; i <= 230; i++) desk.places.delete(String(i));
  const list = open(desk);
  await all(list);
  list.look(180, 199);
  desk.places.set('999', 999);
  list.touched();
  await later();
  expect(list.complete.value).toBe(false);
  await list.more();
  expect(list.ids.value).toEqual(desk.order);
});

test('what is gone leaves no empty pages', async () => {
  const list = open(desk);
  await all(list);
  for (let i = 30; i <= 230; i++) desk.places.delete(String(i));
  list.look(0, 40);
  list.touched();
  await later();
  expect(list.ids.value).toEqual(desk.order);
  expect(list.complete.value).toBe(true);
});

test('a desk that does not answer is asked again when something changes', async () => {
  const list = open(desk);
  desk.down = true;
  await list.open();
  expect(list.failure.value?.code).toBe(code.unreachable);
  desk.down = false;
  list.touched();
  await later();
  expect(list.failure.value).toBeUndefined();
  expect(list.ids.value).toHaveLength(50);
});

test('a closed list asks nothing', async () => {
  const list = open(desk);
  await list.open();
  list.touched();
  list.close();
  await later();
  await list.more();
  expect(desk.asked).toBe(1);
});

test('what was seen last is there before the desk has answered, but for a search', async () => {
  const seen = [{ id: '7', number: 7 }, { id: '3', number: 3 }];
  const cache = { seen: () => Promise.resolve(seen), see: () => undefined } as unknown as Cache;
  desk.down = true;
  const list = open(desk, { kind: 'all' }, cache);
  await list.open();
  expect(list.ids.value).toEqual(['7', '3']);
  const search = open(desk, { kind: 'search', query: 'vpn' }, cache);
  await search.open();
  expect(search.ids.value).toEqual([]);
});

test('however tickets change while pages are on their way: none twice, and in view, what the desk has', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = dice(seed);
    const below = (n: number) => Math.floor(random() * n);
    const desk = new Desk();
    let made = 0;
    const create = () => desk.places.set(String(++made), random() * 1000);
    for (let i = below(300); i >= 0; i--) create();
    const list = open(desk);
    const change = () => {
      const ids = desk.order;
      const id = ids[below(ids.length)];
      if (id === undefined || random() < 0.2) create();
      else if (random() < 0.2) desk.places.delete(id);
      else desk.places.set(id, random() < 0.5 ? random() * 1000 : -random());
      list.touched();
    };
    desk.meanwhile = () => random() < 0.5 && change();
    list.look(0, 15);
    await list.open();
    for (let step = 0; step < 40; step++) {
      if (random() < 0.5) void list.more();
      if (random() < 0.5) for (let n = below(20); n >= 0; n--) change();
      const first = below(list.ids.value.length + 1);
      list.look(first, first + 15);
      if (random() < 0.5) await later();
      expect(new Set(list.ids.value).size, `seed ${seed}: none twice`).toBe(list.ids.value.length);
    }
    desk.meanwhile = () => undefined;
    /* nothing changes any more: a part that is in view has no gap */
    const first = below(list.ids.value.length);
    list.look(first, first + 15);
    for (let i = 0; i < 4; i++) await later();
    const view = list.ids.value.slice(first, first + 16);
    const at = desk.order.indexOf(view[0]!);
    expect(view, `seed ${seed}: in view`).toEqual(view.length ? desk.order.slice(at, at + view.length) : []);
    /* and all of it, once it was seen, is what the desk has */
    list.look(0, 10_000);
    for (let i = 0; i < 12; i++) {
      await later();
      await all(list);
    }
    expect(list.ids.value, `seed ${seed}: all`).toEqual(desk.order);
  }
});
