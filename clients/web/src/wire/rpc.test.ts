import { expect, test, vi } from 'vitest';
import { code } from './failure';
import { Rpc } from './rpc';
import type { Session } from './session';

interface Call {
  id: number;
  method: string;
  params: Record<string, unknown>;
}

/** A desk that answers each POST by `answer`, and a session whose tokens count. */
function room(answer: (calls: Call[], token: string, nth: number) => unknown) {
  const posts: Call[][] = [];
  const tokens: string[] = [];
  const slept: number[] = [];
  let token = 't1';
  const session = {
    info: { token },
    open: (stale?: string) => {
      if (stale === token) token = `t${Number(token.slice(1)) + 1}`;
      session.info = { token };
      return Promise.resolve({ token });
    },
  };
  const fetcher = ((_: string, init: { body: string; headers: Record<string, string> }) => {
    const body = JSON.parse(init.body) as Call | Call[];
    const calls = Array.isArray(body) ? body : [body];
    posts.push(calls);
    tokens.push(init.headers.Authorization!);
    const answered = answer(calls, init.headers.Authorization!.slice(7), posts.length);
    if (answered instanceof Error) return Promise.reject(answered);
    return Promise.resolve({ ok: true, json: () => Promise.resolve(answered) });
  }) as unknown as typeof fetch;
  const rpc = new Rpc(session as unknown as Session, fetcher, (ms) => (slept.push(ms), Promise.resolve()), () => 1);
  return { rpc, posts, tokens, slept };
}

const named = ({ id, method }: Call) => ({ id, result: { name: method } });

test('calls that are made at once are one batch, and each gets its own answer', async () => {
  const { rpc, posts } = room((calls) => calls.map(named).reverse());
  const [a, b] = await Promise.all([rpc.call('project.info', {}), rpc.call('view.list', {})]);
  expect([a, b]).toEqual([{ name: 'project.info' }, { name: 'view.list' }]);
  expect(posts).toHaveLength(1);
});

test('more than 50 are two batches', async () => {
  const { rpc, posts } = room((calls) => (calls.length === 1 ? named(calls[0]!) : calls.map(named)));
  await Promise.all(Array.from({ length: 51 }, () => rpc.call('project.info', {})));
  expect(posts.map((p) => p.length)).toEqual([50, 1]);
});

test('a call whose outcome is unknown is made again with the same op_id', async () => {
  const { rpc, posts, slept } = room((calls, _, nth) =>
    nth === 1 ? new TypeError('cut') : nth === 2 ? { id: 0, error: { code: code.unavailable, message: 'Unavailable', data: { retry_after_ms: 900 } } } : named(calls[0]!),
  );
  await rpc.call('comment.add', { ticket: 'T', body: 'Hello', op_id: 'OP' });
  expect(posts.map(([call]) => call!.params.op_id)).toEqual(['OP', 'OP', 'OP']);
  expect(slept).toEqual([200, 900]);
});

test('a refusal is final, and tells its reason', async () => {
  const { rpc, posts } = room(() => ({ id: 0, error: { code: code.conflict, message: 'Conflict', data: { reason: 'newer' } } }));
  await expect(rpc.call('comment.add', { ticket: 'T', body: 'Hello' })).rejects.toMatchObject({ code: code.conflict, data: { reason: 'newer' } });
  expect(posts).toHaveLength(1);
});

test('where the session is over, only what was refused is made again, once', async () => {
  const refused = (id: number) => ({ id, error: { code: code.unauthenticated, message: 'Unauthenticated' } });
  const { rpc, tokens, posts } = room((calls, token) => {
    const replies = calls.map((call) => (token === 't1' && call.method === 'view.list' ? refused(call.id) : named(call)));
    return calls.length === 1 ? replies[0] : replies;
  });
  expect(await Promise.all([rpc.call('project.info', {}), rpc.call('view.list', {})])).toEqual([{ name: 'project.info' }, { name: 'view.list' }]);
  expect(tokens).toEqual(['Bearer t1', 'Bearer t2']);
  expect(posts[1]!.map(({ method }) => method)).toEqual(['view.list']);

  const never = room((calls) => refused(calls[0]!.id));
  await expect(never.rpc.call('project.info', {})).rejects.toMatchObject({ code: code.unauthenticated });
  expect(never.tokens).toEqual(['Bearer t1', 'Bearer t2']);
});

test('a result for which a batch had no room is asked for alone', async () => {
  const { rpc, posts } = room((calls) =>
    calls.length === 1 ? named(calls[0]!) : calls.map((call, i) => (i ? { id: call.id, error: { code: code.tooLarge, message: 'TooLarge' } } : named(call))),
  );
  expect(await Promise.all([rpc.call('project.info', {}), rpc.call('view.list', {})])).toEqual([{ name: 'project.info' }, { name: 'view.list' }]);
  expect(posts.map((calls) => calls.map(({ method }) => method))).toEqual([['project.info', 'view.list'], ['view.list']]);
});

test('a session that ended is renewed once for all who went by it', async () => {
  const over = { error: { code: code.unauthenticated, message: 'Unauthenticated' } };
  let late: () => void = () => undefined;
  let token = 't1';
  const opened: (string | undefined)[] = [];
  const session = {
    open: (stale?: string) => {
      opened.push(stale);
      if (stale === token) token = `t${Number(token.slice(1)) + 1}`;
      return Promise.resolve({ token });
    },
  };
  const asked: string[] = [];
  const fetcher = (async (_: string, init: { body: string; headers: Record<string, string> }) => {
    const { id, method } = JSON.parse(init.body) as Call;
    asked.push(init.headers.Authorization!.slice(7));
    if (method === 'view.list' && asked.length === 2) await new Promise<void>((done) => (late = done));
    if (init.headers.Authorization === 'Bearer t1') return { ok: false, status: 401, json: () => Promise.resolve(over) };
    return { ok: true, json: () => Promise.resolve(named({ id, method, params: {} })) };
  }) as unknown as typeof fetch;
  const rpc = new Rpc(session as unknown as Session, fetcher);
  const first = rpc.call('project.info', {});
  await Promise.resolve();
  const second = rpc.call('view.list', {});
  expect(await first).toEqual({ name: 'project.info' });
  late();
  expect(await second).toEqual({ name: 'view.list' });
  expect(asked).toEqual(['t1', 't1', 't2', 't2']);
  expect(token).toBe('t2');
});

test('an answered call leaves nothing that waits, and one that is not answered ends', async () => {
  vi.useFakeTimers();
  try {
    const { rpc } = room((calls) => named(calls[0]!));
    await rpc.call('project.info', {});
    expect(vi.getTimerCount()).toBe(0);
    const deaf = new Rpc({ open: () => Promise.resolve({ token: 't1' }) } as unknown as Session, ((_: string, { signal }: { signal: AbortSignal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new DOMException('late'))))) as unknown as typeof fetch);
    let slow = 0;
    deaf.slow = () => void slow++;
    const ended = expect(deaf.call('project.info', {}, { again: 0 })).rejects.toMatchObject({ code: code.unreachable });
    await vi.advanceTimersByTimeAsync(30_000);
    await ended;
    expect(slow).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
