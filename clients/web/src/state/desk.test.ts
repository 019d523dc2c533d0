import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Device } from './settings';

/* The page around: what a browser has, and a desk that answers as it is told. */
class Page extends EventTarget {
  readonly kept = new Map<string, string>();
  /** Another tab writes. */
  tab(name: string, value: unknown): void {
    if (value === undefined) this.kept.delete(`assist.${name}`);
    else this.kept.set(`assist.${name}`, JSON.stringify(value));
    this.dispatchEvent(Object.assign(new Event('storage'), { key: `assist.${name}` }));
  }
}

let page: Page;
let up: boolean;
let role: string | undefined;
let asked: string[];
let homes: { me: { user: string; role: string }; closed: boolean; cleared: boolean }[];

const fetcher = (async (path: string, init: { body: string }) => {
  asked.push(path === '/rpc' ? (JSON.parse(init.body) as { method: string }).method : path);
  if (!up) throw new TypeError('network');
  const answer =
    path === '/session/nonce' ? { nonce: 'bm9uY2U', project: 'AAAA', server: '200::1', device: 'x' }
    : path === '/session' ? { token: 't', expires_at: Date.now() + 43_200_000, ...(role && { role, user: 'U', name: 'Ann' }) }
    : { id: 0, result: { name: 'Test desk' } };
  return { ok: true, headers: new Headers(), json: () => Promise.resolve(answer) };
}) as unknown as typeof fetch;

const ann: Device = { secret: 'c2VjcmV0', project: 'AAAA', user: 'U', name: 'Ann', role: 'agent' };

async function open(device?: Device) {
  if (device) page.kept.set('assist.device', JSON.stringify(device));
  vi.doMock('./home', () => ({
    Home: {
      open: (me: { user: string; role: string }) => {
        const home = { me, closed: false, cleared: false };
        homes.push(home);
        return Promise.resolve({
          me,
          close: () => void (home.closed = true),
          cache: { clear: () => Promise.resolve(void (home.cleared = true)), forgetSeen: () => Promise.resolve() },
        });
      },
    },
  }));
  const { Desk } = await import('./desk');
  const settings = await import('./settings');
  const desk = new Desk(fetcher, false);
  void desk.start();
  await vi.advanceTimersByTimeAsync(0);
  return { desk, settings };
}
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetModules();
  page = new Page();
  up = true;
  role = 'agent';
  asked = [];
  homes = [];
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
  vi.stubGlobal('document', { documentElement: { dataset: {} } });
  vi.stubGlobal('localStorage', {
    getItem: (name: string) => page.kept.get(name) ?? null,
    setItem: (name: string, value: string) => void page.kept.set(name, value),
    removeItem: (name: string) => void page.kept.delete(name),
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('who is bound sees what was seen before, though the desk is down; another role shows once it is back', async () => {
  up = false;
  const { desk } = await open(ann);
  expect(desk.phase.value.is).toBe('home');
  await pass(60_000);
  expect(homes.map(({ me }) => me.role)).toEqual(['agent']);
  role = 'admin';
  up = true;
  await pass(15_000);
  expect(homes.map(({ me }) => me.role)).toEqual(['agent', 'admin']);
  expect(homes[0]!.closed).toBe(true);
});

test('a stranger whom the desk does not answer is told, and goes on by itself when it is there', async () => {
  role = undefined;
  up = false;
  const { desk } = await open();
  await pass(5_000);
  expect(desk.phase.value.is).toBe('unreachable');
  await pass(60_000);
  const before = asked.length;
  await pass(60_000);
  expect(asked.length - before).toBeLessThan(25);
  up = true;
  await pass(20_000);
  expect(desk.phase.value).toEqual({ is: 'stranger' });
  expect(desk.projectName.value).toBe('Test desk');
});

test('a device that is known no more is forgotten, and its user told why', async () => {
  role = undefined;
  const { desk } = await open(ann);
  await pass(10);
  expect(desk.phase.value).toEqual({ is: 'stranger', why: 'revoked' });
  expect(page.kept.has('assist.device')).toBe(false);
  expect(homes[0]).toMatchObject({ closed: true, cleared: true });
});

test('what another tab binds, this one is, too', async () => {
  role = undefined;
  const { desk } = await open();
  expect(desk.phase.value.is).toBe('stranger');
  role = 'agent';
  page.tab('device', { ...ann, name: '', role: 'customer' });
  await pass(10);
  expect(desk.phase.value.is).toBe('home');
  expect(homes.at(-1)!.me.role).toBe('agent');
  /* the role, which the other tab learns behind that, is nothing new */
  const before = homes.length;
  page.tab('device', ann);
  await pass(10);
  expect(homes).toHaveLength(before);
});

test('what another tab lets the desk forget, this one is no more, and keeps nothing', async () => {
  const { desk } = await open(ann);
  await pass(10);
  expect(homes).toHaveLength(1);
  role = undefined;
  page.tab('device', undefined);
  await pass(10);
  expect(desk.phase.value).toEqual({ is: 'stranger' });
  expect(homes[0]).toMatchObject({ closed: true, cleared: true });
  expect(page.kept.has('assist.device')).toBe(false);
});

test('an answer that comes late does not bring a device back', async () => {
  up = false;
  await open(ann);
  page.tab('device', undefined);
  up = true;
  await pass(60_000);
  expect(page.kept.has('assist.device')).toBe(false);
});

test('tastes follow other tabs', async () => {
  const { settings } = await open();
  page.tab('theme', 'dark');
  page.tab('density', 'dense');
  page.tab('language', 'fr');
  expect([settings.theme.value, settings.density.value, settings.language.value]).toEqual(['dark', 'dense', 'fr']);
  expect(document.documentElement.dataset).toMatchObject({ theme: 'dark', density: 'dense' });
  page.tab('theme', undefined);
  expect(settings.theme.value).toBe('system');
});
