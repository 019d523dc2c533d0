import { beforeEach, expect, test } from 'vitest';
import type { Cache, Queued } from './cache';
import { Outbox } from './outbox';
import { code, Failure } from '../wire/failure';
import type { Rpc } from '../wire/rpc';

/** Two tabs have the same storage. */
class Kept {
  readonly kept = true;
  readonly queue = new Map<string, Queued>();
  all = () => Promise.resolve([...this.queue.values()]);
  room = true;
  put = (_: string, queued: Queued) => Promise.resolve(this.room && !!this.queue.set(queued.op_id, queued));
  remove = (_: string, id: string) => Promise.resolve(void this.queue.delete(id));
}

let kept: Kept;
let calls: { method: string; params: Record<string, unknown> }[];
let answer: (method: string, nth: number) => unknown;
let waits: (() => void)[];

function tab(): Outbox {
  const rpc = {
    call: async (method: string, params: Record<string, unknown>) => {
      calls.push({ method, params });
      const answered = answer(method, calls.length);
      if (answered instanceof Failure) throw answered;
      return answered;
    },
  };
  return new Outbox(rpc as unknown as Rpc, kept as unknown as Cache, 'ME', (f) => {
    waits.push(f);
    return 1 as never;
  });
}

const settled = () => new Promise((done) => setTimeout(done, 0));

beforeEach(() => {
  kept = new Kept();
  calls = [];
  waits = [];
  answer = () => ({ ok: true });
});

test('a change is kept before it is sent, and gone when it was taken', async () => {
  const outbox = tab();
  const sent = outbox.send('comment.add', { ticket: 'T', body: 'Hello' }, 'T');
  expect(outbox.queue.value).toHaveLength(1);
  expect(kept.queue.size).toBe(1);
  expect(calls).toHaveLength(0);
  await expect(sent).resolves.toEqual({ ok: true });
  expect([outbox.queue.value.length, kept.queue.size]).toEqual([0, 0]);
});

test('where the browser has no room for a change, it says so, and sends it all the same', async () => {
  answer = (_, nth) => (nth === 1 ? new Failure(code.unreachable, '') : { ok: true });
  kept.room = false;
  const outbox = tab();
  const sent = outbox.send('comment.add', { ticket: 'T', body: 'Hello' }, 'T');
  await settled();
  expect(outbox.queue.value).toMatchObject([{ method: 'comment.add', fleeting: true }]);
  expect(kept.queue.size).toBe(0);
  waits.shift()!();
  await expect(sent).resolves.toEqual({ ok: true });
  expect(outbox.queue.value).toEqual([]);
});

test('without the desk it waits, in order, with the same op_ids', async () => {
  answer = (_, nth) => (nth <= 2 ? new Failure(code.unreachable, '') : { ok: true });
  const outbox = tab();
  const sent = [outbox.send('comment.add', { ticket: 'T', body: '1' }), outbox.send('comment.add', { ticket: 'T', body: '2' })];
  await settled();
  expect(calls).toHaveLength(1);
  waits.shift()!();
  await settled();
  expect(calls).toHaveLength(2);
  outbox.hurry();
  await Promise.all(sent);
  expect(calls.map(({ params }) => params.body)).toEqual(['1', '1', '1', '2']);
  expect(new Set(calls.map(({ params }) => params.op_id)).size).toBe(2);
});

test('what a visit left is sent by the next one', async () => {
  answer = () => new Failure(code.unreachable, '');
  tab().send('comment.add', { ticket: 'T', body: 'kept' }).catch(() => undefined);
  await settled();
  const [before] = calls;
  answer = () => ({ ok: true });
  const next = tab();
  await next.restore();
  await settled();
  expect(calls.at(-1)!.params).toEqual(before!.params);
  expect(kept.queue.size).toBe(0);
});

test('whoever waits is told of a refusal; what nobody waits for is kept with the reason', async () => {
  answer = () => new Failure(code.forbidden, 'Forbidden', { reason: 'closed for good' });
  const outbox = tab();
  await expect(outbox.send('comment.add', { ticket: 'T', body: 'x' })).rejects.toMatchObject({ code: code.forbidden });
  expect(outbox.queue.value).toEqual([]);

  kept.queue.set('OP', { op_id: 'OP', method: 'comment.add', params: { body: 'y', op_id: 'OP' }, at: 1 });
  const next = tab();
  await next.restore();
  await settled();
  expect(next.queue.value).toMatchObject([{ op_id: 'OP', failed: 'closed for good' }]);
  expect(kept.queue.get('OP')!.failed).toBe('closed for good');

  answer = () => ({ ok: true });
  await next.retry('OP');
  await settled();
  expect([next.queue.value.length, kept.queue.size]).toEqual([0, 0]);
  expect(calls.at(-1)!.params).toMatchObject({ body: 'y' });
  expect(calls.at(-1)!.params.op_id).not.toBe('OP');
});

test('what was refused does not hold up what comes behind it', async () => {
  kept.queue.set('A', { op_id: 'A', method: 'comment.add', params: { op_id: 'A' }, at: 1 });
  kept.queue.set('B', { op_id: 'B', method: 'comment.add', params: { op_id: 'B' }, at: 2 });
  answer = (_, nth) => (nth === 1 ? new Failure(code.invalidParams, 'no') : { ok: true });
  const outbox = tab();
  await outbox.restore();
  await settled();
  expect(outbox.queue.value.map(({ op_id }) => op_id)).toEqual(['A']);
});
