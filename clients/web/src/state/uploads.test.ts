import { beforeEach, expect, test } from 'vitest';
import type { Cache, LocalFile } from './cache';
import { FILE_MAX, Uploads } from './uploads';
import { code, Failure } from '../wire/failure';
import type { Rpc } from '../wire/rpc';
import type { Session } from '../wire/session';

const PIECE = 256 * 1024;

/** What a desk has of each upload. */
class Desk {
  readonly there = new Map<string, number>();
  asked: string[] = [];
  announced = 0;
  token = 't1';
  /** The next pieces that do not arrive. */
  broken = 0;
  room = true;
  readonly files = new Map<string, LocalFile>();
  readonly gone = new AbortController();

  readonly rpc = {
    signal: this.gone.signal,
    call: async () => {
      const upload = `U${++this.announced}`;
      this.there.set(upload, 0);
      return { upload };
    },
  } as unknown as Rpc;
  readonly session = { open: async (stale?: string) => ({ token: stale === undefined ? 't1' : this.token }) } as unknown as Session;
  readonly cache = {
    put: async (_: string, file: LocalFile) => this.room && !!this.files.set(file.id, file),
    get: async (_: string, id: string) => this.files.get(id),
    remove: async (_: string, id: string) => void this.files.delete(id),
  } as unknown as Cache;
  readonly fetch = (async (path: string, init: { method: string; body?: Blob; headers: Record<string, string> }) => {
    this.asked.push(`${init.method} ${init.headers['Content-Range'] ?? ''}`.trim());
    if (init.headers.Authorization !== `Bearer ${this.token}`) return new Response(JSON.stringify({ error: { code: code.unauthenticated, message: 'no' } }), { status: 401 });
    const upload = path.split('/').at(-1)!;
    if (!this.there.has(upload)) return new Response(JSON.stringify({ error: { code: code.notFound, message: 'no' } }), { status: 404 });
    if (init.body) {
      if (this.broken-- > 0) throw new TypeError('network');
      this.there.set(upload, this.there.get(upload)! + init.body.size);
    }
    return new Response(null, { headers: { 'Upload-Offset': String(this.there.get(upload)) } });
  }) as unknown as typeof fetch;

  open = () => new Uploads(this.rpc, this.session, this.cache, this.fetch);
}

const settled = () => new Promise((done) => setTimeout(done, 20));
const blob = (n: number) => new Blob([new Uint8Array(n)], { type: 'image/png' });

let desk: Desk;
beforeEach(() => void (desk = new Desk()));

test('a file goes in pieces, and is kept with what the desk calls it', async () => {
  const uploads = desk.open();
  const id = await uploads.add(blob(PIECE + 10), 'a.png');
  expect(uploads.done([id])).toBeUndefined();
  await settled();
  expect(desk.asked).toEqual([`PUT bytes 0-${PIECE - 1}/${PIECE + 10}`, `PUT bytes ${PIECE}-${PIECE + 9}/${PIECE + 10}`]);
  expect(uploads.done([id])).toEqual(['U1']);
  expect(desk.files.get(id)).toMatchObject({ upload: 'U1', complete: true });
});

test('what breaks off says why, and goes on where the desk has it, when the desk is there again', async () => {
  const uploads = desk.open();
  const id = await uploads.add(blob(PIECE + 10), 'a.png');
  await Promise.resolve();
  desk.broken = 1;
  await settled();
  expect(uploads.at(id)!.value.failure).toBeInstanceOf(Failure);
  desk.asked = [];
  uploads.goOn();
  await settled();
  expect(desk.asked[0]).toBe('HEAD');
  expect(uploads.done([id])).toEqual(['U1']);
  expect(desk.there.get('U1')).toBe(PIECE + 10);
});

test('after a reload it goes on, and what was complete is not sent again', async () => {
  const first = desk.open();
  desk.broken = 1;
  const half = await first.add(blob(10), 'half.png');
  await settled();
  const whole = await first.add(blob(10), 'whole.png');
  await settled();
  desk.asked = [];
  const again = desk.open();
  await again.resume(half);
  await again.resume(whole);
  await again.resume('nobody knows');
  await settled();
  expect(desk.asked).toEqual(['HEAD', 'PUT bytes 0-9/10']);
  expect(again.done([half, whole])).toEqual(['U1', 'U2']);
});

test('what the desk has forgotten is announced anew by a retry', async () => {
  const uploads = desk.open();
  desk.broken = 1;
  const id = await uploads.add(blob(10), 'a.png');
  await settled();
  desk.there.clear();
  uploads.retry(id);
  await settled();
  expect(uploads.at(id)!.value.failure?.code).toBe(code.notFound);
  uploads.retry(id);
  await settled();
  expect(uploads.done([id])).toEqual(['U2']);
});

test('a session that is over is renewed on the way', async () => {
  desk.token = 't2';
  const uploads = desk.open();
  const id = await uploads.add(blob(10), 'a.png');
  await settled();
  expect(uploads.done([id])).toEqual(['U1']);
});

test.each([0, FILE_MAX + 1])('a file of %d bytes is refused before anything is sent', async (size) => {
  const uploads = desk.open();
  const id = await uploads.add(size ? ({ size, type: 'image/png' } as Blob) : blob(0), 'a.png');
  expect(uploads.at(id)!.value.failure?.code).toBe(code.tooLarge);
  expect(desk.announced).toBe(0);
  expect(desk.files.size).toBe(0);
});

test('a file that the browser has no room for says so, and is sent all the same', async () => {
  desk.room = false;
  const uploads = desk.open();
  const id = await uploads.add(blob(10), 'a.png');
  await settled();
  expect(uploads.at(id)!.value.unkept).toBe(true);
  expect(uploads.done([id])).toEqual(['U1']);
  desk.room = true;
  expect(uploads.at(await uploads.add(blob(10), 'b.png'))!.value.unkept).toBeUndefined();
});

test('a file that was removed is forgotten here, though it was on its way', async () => {
  const uploads = desk.open();
  const id = await uploads.add(blob(3 * PIECE), 'a.png');
  await uploads.remove(id);
  await settled();
  expect(uploads.at(id)).toBeUndefined();
  expect(desk.files.size).toBe(0);
});
