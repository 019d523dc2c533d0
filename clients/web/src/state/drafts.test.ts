import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Cache, LocalDraft } from './cache';
import { Drafts } from './drafts';
import { code, Failure } from '../wire/failure';
import type { Rpc } from '../wire/rpc';

/** The desk's one draft of a ticket, with versions. */
class Desk {
  draft: { body: string; version: number } | undefined;
  calls: string[] = [];
  down = false;

  call = async (method: string, params: { body: string; version?: number }) => {
    this.calls.push(method);
    await Promise.resolve();
    if (this.down) throw new Failure(code.unreachable, 'down');
    if (method === 'draft.save') {
      if (this.draft && this.draft.version !== params.version) throw new Failure(code.conflict, 'newer', { newer: this.draft });
      this.draft = { body: params.body, version: (this.draft?.version ?? 0) + 1 };
    } else if (method === 'draft.discard') return void (this.draft = undefined);
    else if (!this.draft) throw new Failure(code.notFound, 'none');
    return { draft: { ...this.draft } };
  };
}

class Kept {
  readonly drafts = new Map<string, LocalDraft>();
  get = (_: string, key: string) => Promise.resolve(this.drafts.get(key));
  put = (_: string, draft: LocalDraft) => Promise.resolve(void this.drafts.set(draft.key, draft));
  remove = (_: string, key: string) => Promise.resolve(void this.drafts.delete(key));
}

let desk: Desk;
let kept: Kept;
const open = () => new Drafts(desk as unknown as Rpc, kept as unknown as Cache);
const pause = () => vi.advanceTimersByTimeAsync(1_500);
const other = (version: number) => ({ type: 'draft.changed', at: 0, data: { ticket: 'T', note: false, version } });

beforeEach(() => {
  vi.useFakeTimers();
  desk = new Desk();
  kept = new Kept();
});
afterEach(() => void vi.useRealTimers());

test('each key is kept here, and the desk is told at a pause', async () => {
  const drafts = open();
  for (const body of ['H', 'He', 'Hel']) {
    drafts.write('T', false, { body });
    await vi.advanceTimersByTimeAsync(100);
    expect(kept.drafts.get('T/reply')?.body).toBe(body);
  }
  expect(desk.calls).toEqual([]);
  await pause();
  expect(desk.calls).toEqual(['draft.save']);
  expect(desk.draft).toEqual({ body: 'Hel', version: 1 });
  expect(drafts.at('T', false).value.version).toBe(1);
  expect(kept.drafts.get('T/reply')?.version).toBe(1);
});

test('a reload goes on with what was written, even without the desk', async () => {
  open().write('T', false, { body: 'half a', files: ['F'] });
  await vi.advanceTimersByTimeAsync(1);
  desk.down = true;
  const again = open();
  await again.open('T', false);
  expect(again.at('T', false).value).toMatchObject({ body: 'half a', files: ['F'] });
});

test('a reply and a note are two texts', async () => {
  const drafts = open();
  drafts.write('T', true, { body: 'for us' });
  expect(drafts.at('T', false).value.body).toBe('');
  await pause();
  expect([...kept.drafts.keys()]).toEqual(['T/note']);
});

test('what another device began is taken where nothing stands here', async () => {
  desk.draft = { body: 'from the phone', version: 3 };
  const drafts = open();
  await drafts.open('T', false);
  expect(drafts.at('T', false).value).toMatchObject({ body: 'from the phone', version: 3 });
});

test('of two texts none is lost: the other one is shown beside, and one is chosen', async () => {
  const drafts = open();
  drafts.write('T', false, { body: 'mine' });
  desk.draft = { body: 'theirs', version: 3 };
  await pause();
  expect(drafts.at('T', false).value).toMatchObject({ body: 'mine', other: { body: 'theirs' } });
  expect(desk.draft.body).toBe('theirs');
  drafts.settle('T', false, false);
  await pause();
  expect(desk.draft).toEqual({ body: 'mine', version: 4 });
  expect(drafts.at('T', false).value.other).toBeUndefined();
});

test('of two texts theirs can be taken', async () => {
  const drafts = open();
  drafts.write('T', false, { body: 'mine' });
  desk.draft = { body: 'theirs', version: 3 };
  await pause();
  drafts.settle('T', false, true);
  expect(drafts.at('T', false).value.body).toBe('theirs');
});

test('a text that another device saves is asked for, one that is this one is not', async () => {
  const drafts = open();
  drafts.write('T', false, { body: 'mine' });
  await pause();
  desk.calls = [];
  drafts.apply(other(1));
  await pause();
  expect(desk.calls).toEqual([]);
  desk.draft = { body: 'theirs', version: 2 };
  drafts.apply(other(2));
  await pause();
  expect(drafts.at('T', false).value.other?.body).toBe('theirs');
});

test('what was sent is discarded here and at the desk, and its last save does not bring it back', async () => {
  const drafts = open();
  drafts.write('T', false, { body: 'mine' });
  await pause();
  drafts.write('T', false, { body: 'mine, done' });
  drafts.discard('T', false);
  await pause();
  expect(desk.draft).toBeUndefined();
  expect(desk.calls).toEqual(['draft.save', 'draft.discard']);
  expect(drafts.at('T', false).value).toEqual({ body: '', files: [] });
  expect(kept.drafts.size).toBe(0);
});

test('what is sent while it is being saved is gone at the desk as well', async () => {
  const drafts = open();
  drafts.write('T', false, { body: 'mine' });
  vi.advanceTimersByTime(1_500);
  expect(desk.calls).toEqual(['draft.save']);
  drafts.discard('T', false);
  await pause();
  expect(desk.draft).toBeUndefined();
  expect(kept.drafts.size).toBe(0);
  expect(drafts.at('T', false).value.body).toBe('');
});

test('a save that takes long is not taken for another device', async () => {
  const drafts = open();
  let answer: () => void = () => undefined;
  const { call } = desk;
  desk.call = async (method, params) => {
    if (desk.calls.length === 0) await new Promise<void>((done) => (answer = done));
    return call(method, params);
  };
  drafts.write('T', false, { body: 'one' });
  await pause();
  drafts.write('T', false, { body: 'one two' });
  await pause();
  answer();
  await pause();
  expect(drafts.at('T', false).value).toMatchObject({ body: 'one two', version: 2 });
  expect(drafts.at('T', false).value.other).toBeUndefined();
  expect(desk.draft?.body).toBe('one two');
});

test('a text that the desk can not be told is told with the next one', async () => {
  const drafts = open();
  desk.down = true;
  drafts.write('T', false, { body: 'mine' });
  await pause();
  expect(drafts.at('T', false).value.body).toBe('mine');
  desk.down = false;
  drafts.write('T', false, { body: 'mine!' });
  await pause();
  expect(desk.draft?.body).toBe('mine!');
});
