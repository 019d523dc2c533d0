import { expect, test } from 'vitest';
import type { Cache } from './cache';
import { Thread } from './thread';
import { code, Failure } from '../wire/failure';
import type { Rpc } from '../wire/rpc';
import type { Comment } from '@schema';

const comment = (id: string, created_at: number, body = id): Comment => ({ id, ticket: 'T', author: 'A', created_at, body, attachments: [] }) as unknown as Comment;
const event = (type: string, about: Comment) => ({ type, at: 0, data: { comment: about } });

class Desk {
  comments: Comment[] = [];
  notes: Comment[] = [];
  calls: string[] = [];
  down = false;
  meanwhile: () => void = () => undefined;

  call = async (method: string, { limit, after }: { limit: number; after?: string }) => {
    this.calls.push(method);
    if (this.down) throw new Failure(code.unreachable, 'down');
    const all = method === 'note.list' ? this.notes : this.comments;
    const from = Number(after ?? 0);
    const answer = { items: all.slice(from, from + limit), ...(from + limit < all.length && { next: String(from + limit) }) };
    await Promise.resolve();
    this.meanwhile();
    return answer;
  };
}

const seen = new Map<string, unknown>();
const cache = { seen: (key: string) => Promise.resolve(seen.get(key)), see: (key: string, value: unknown) => void seen.set(key, value) } as unknown as Cache;
const open = (desk: Desk, agent = true) => {
  seen.clear();
  return new Thread('T', desk as unknown as Rpc, cache, agent);
};
const ids = (thread: Thread) => thread.entries.value.map(({ id }) => id);

test('comments and notes are one thread, by time; customers ask for no notes', async () => {
  const desk = new Desk();
  desk.comments = [comment('a', 1), comment('c', 3)];
  desk.notes = [comment('b', 2)];
  const thread = open(desk);
  await thread.open();
  expect(ids(thread)).toEqual(['a', 'b', 'c']);
  expect(thread.entries.value[1]!.note).toBe(true);
  desk.calls = [];
  await open(desk, false).open();
  expect(desk.calls).toEqual(['comment.list']);
});

test('all pages are there', async () => {
  const desk = new Desk();
  desk.comments = Array.from({ length: 450 }, (_, i) => comment(String(i).padStart(4, '0'), i));
  const thread = open(desk);
  await thread.open();
  expect(thread.entries.value).toHaveLength(450);
  expect(thread.complete.value).toBe(true);
});

test('what comes while the thread is fetched is in it, and what was changed meanwhile is as it was changed', async () => {
  const desk = new Desk();
  desk.comments = [comment('a', 1, 'old')];
  const thread = open(desk);
  desk.meanwhile = () => {
    desk.meanwhile = () => undefined;
    thread.apply(event('comment.changed', comment('a', 1, 'new')));
    thread.apply(event('comment.added', comment('b', 2)));
  };
  await thread.open();
  expect(thread.entries.value.map(({ body }) => body)).toEqual(['new', 'b']);
});

test('an entry comes once, however often it is told, and stands where its time is', async () => {
  const thread = open(new Desk());
  await thread.open();
  for (const id of ['b', 'b']) thread.apply(event('comment.added', comment(id, 2)));
  thread.apply(event('note.added', comment('a', 1)));
  expect(ids(thread)).toEqual(['a', 'b']);
  expect(thread.entries.value[0]!.note).toBe(true);
});

test('what is said on other tickets is not in it', async () => {
  const thread = open(new Desk());
  await thread.open();
  thread.apply(event('comment.added', { ...comment('x', 1), ticket: 'OTHER' }));
  expect(ids(thread)).toEqual([]);
});

test('where comments were moved, the desk is asked; asked for twice meanwhile, once more', async () => {
  const desk = new Desk();
  const thread = open(desk, false);
  await thread.open();
  desk.calls = [];
  for (let i = 0; i < 3; i++) thread.apply({ type: 'comment.moved', at: 0, data: {} });
  await new Promise((done) => setTimeout(done, 0));
  expect(desk.calls).toEqual(['comment.list', 'comment.list']);
});

test('without the desk, what was seen is shown, and why there is no more; later all is there', async () => {
  const desk = new Desk();
  desk.down = true;
  desk.comments = [comment('a', 1), comment('b', 2)];
  const thread = open(desk);
  seen.set('thread/T', [{ ...comment('a', 1), note: false }]);
  await thread.open();
  expect(ids(thread)).toEqual(['a']);
  expect(thread.failure.value?.code).toBe(code.unreachable);
  expect(thread.complete.value).toBe(false);
  desk.down = false;
  await thread.fetch();
  expect(ids(thread)).toEqual(['a', 'b']);
  expect(thread.failure.value).toBeUndefined();
});

test('the last 200 are kept for the next visit', async () => {
  const desk = new Desk();
  desk.comments = Array.from({ length: 250 }, (_, i) => comment(String(i).padStart(4, '0'), i));
  const thread = open(desk);
  await thread.open();
  expect(seen.get('thread/T')).toHaveLength(200);
  thread.take({ ...comment('z', 999), note: false });
  expect((seen.get('thread/T') as Comment[]).at(-1)!.id).toBe('z');
});
