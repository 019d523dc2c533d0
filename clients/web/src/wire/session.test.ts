import { afterEach, expect, test } from 'vitest';
import { fromBase64url, toBase64url } from './bytes';
import { aheadMs } from './clock';
import { Failure } from './failure';
import { dialled, proofOf, Session, type SessionInfo } from './session';

const counted = (from: number, n: number): Uint8Array => Uint8Array.from({ length: n }, (_, i) => from + i);
const text = (s: string): Uint8Array => new TextEncoder().encode(s);

afterEach(() => void (aheadMs.value = 0));

test('the proof is the one of docs/protocol.md', () => {
  const proof = proofOf(counted(0, 32), {
    project: toBase64url(counted(0x80, 32)),
    server: '127.0.0.1',
    device: 'loopback:127.0.0.2',
    nonce: toBase64url(text('nonce nonce nonce nonce')),
  });
  expect(Buffer.from(proof).toString('hex')).toBe('a87695c182e1507813ec09cdcb0cdc7d022355c9a81c7596ec1fc352cc3276ad');
});

test('bytes go there and back', () => {
  for (let n = 0; n < 40; n++) expect(fromBase64url(toBase64url(counted(200 - n, n)))).toEqual(counted(200 - n, n));
});

interface Asked {
  path: string;
  body: Record<string, unknown>;
}

function desk(project = 'AAAA', role: 'agent' | undefined = 'agent', date?: number) {
  const asked: Asked[] = [];
  let tokens = 0;
  const fetcher = (async (path: string, init: { body: string }) => {
    asked.push({ path, body: JSON.parse(init.body) as Record<string, unknown> });
    const answer = path === '/session/nonce' ? { nonce: 'bm9uY2U', project, server: '200::1', device: 'x' } : { token: `t${++tokens}`, expires_at: 1_000_000_000, role };
    return { ok: true, headers: new Headers(date === undefined ? {} : { Date: new Date(date).toUTCString() }), json: () => Promise.resolve(answer) };
  }) as unknown as typeof fetch;
  return { asked, fetcher };
}

const key = { secret: toBase64url(counted(0, 32)), project: 'AAAA' };

test('many who need a session at once open one', async () => {
  const { asked, fetcher } = desk();
  const session = new Session({ fetch: fetcher, now: () => 0, key: () => key, server: '200::1', embed: false });
  const infos = await Promise.all([session.open(), session.open(), session.open()]);
  expect(new Set(infos.map((i: SessionInfo) => i.token))).toEqual(new Set(['t1']));
  expect(asked.map(({ path }) => path)).toEqual(['/session/nonce', '/session']);
  expect(asked[1]!.body.proof).toMatch(/^[\w-]{43}$/);
  expect((await session.open('t1')).token).toBe('t2');
  expect((await session.open('t1')).token).toBe('t2');
});

test('a session that is nearly over is renewed', async () => {
  const { fetcher } = desk();
  let now = 0;
  const session = new Session({ fetch: fetcher, now: () => now, key: () => key, server: '200::1', embed: false });
  expect((await session.open()).token).toBe('t1');
  now = 1_000_000_000 - 59_000;
  expect((await session.open()).token).toBe('t2');
});

test.each([-86_400_000, 86_400_000])('a browser whose clock is wrong by a day (%d ms) has one session until that is over', async (wrong) => {
  const { asked, fetcher } = desk('AAAA', 'agent', 956_800_000);
  let now = 956_800_000 + wrong;
  const session = new Session({ fetch: fetcher, now: () => now, key: () => key, server: '200::1', embed: false });
  await session.open();
  expect(aheadMs.value).toBe(-wrong);
  now += 40_000_000;
  expect((await session.open()).token).toBe('t1');
  expect(asked).toHaveLength(2);
  now += 3_200_000;
  expect((await session.open()).token).toBe('t2');
});

test('another desk at the same address is told nothing', async () => {
  const { asked, fetcher } = desk('BBBB');
  const session = new Session({ fetch: fetcher, now: () => 0, key: () => key, server: '200::1', embed: false });
  await expect(session.open()).rejects.toMatchObject({ data: { reason: 'project' } });
  expect(asked.map(({ path }) => path)).toEqual(['/session/nonce']);
});

test('a stranger proves nothing, and a page in a frame says that it is one', async () => {
  const { asked, fetcher } = desk();
  await new Session({ fetch: fetcher, now: () => 0, key: () => undefined, server: '200::1', embed: true }).open();
  expect(asked[1]!.body).toEqual({ nonce: 'bm9uY2U', embed: true });
});

test('a desk that is not there is unreachable', async () => {
  const session = new Session({ fetch: () => Promise.reject(new TypeError('network')), now: () => 0, key: () => key, server: '200::1', embed: false });
  await expect(session.open()).rejects.toBeInstanceOf(Failure);
  await expect(session.open()).rejects.toMatchObject({ code: 0 });
});

test('a desk that passes the nonce of another address on is told nothing', async () => {
  const { asked, fetcher } = desk();
  const session = new Session({ fetch: fetcher, now: () => 0, key: () => key, server: '200::2', embed: false });
  await expect(session.open()).rejects.toMatchObject({ data: { field: 'server' } });
  expect(asked.map(({ path }) => path)).toEqual(['/session/nonce']);
  const named = new Session({ fetch: fetcher, now: () => 0, key: () => key, server: undefined, embed: false });
  await expect(named.open()).resolves.toMatchObject({ token: 't1' });
});

test('which address was dialled is in the page\'s own, unless that is a name', () => {
  expect(dialled(new URL('http://[200:de5c::1]:7272/t/1'))).toBe('200:de5c::1');
  expect(dialled(new URL('http://127.0.0.1:7272/'))).toBe('127.0.0.1');
  expect(dialled(new URL('http://desk.example/'))).toBeUndefined();
});
