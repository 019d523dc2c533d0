import { beforeEach, expect, test, vi } from 'vitest';

let pushed: string[];

/** The router of a page at an address. */
async function at(address: string, embed = false) {
  vi.resetModules();
  pushed = [];
  const url = new URL(address, 'http://desk.example');
  vi.stubGlobal('location', { href: url.href, origin: url.origin });
  vi.stubGlobal('document', { documentElement: { dataset: embed ? { embed: '' } : {} } });
  vi.stubGlobal('addEventListener', () => undefined);
  vi.stubGlobal('history', {
    pushState: (_: null, __: string, to: string) => void pushed.push(`+${to}`),
    replaceState: (_: null, __: string, to: string) => void pushed.push(`=${to}`),
  });
  return import('./router');
}

beforeEach(() => void vi.unstubAllGlobals());

test.each([
  ['/', { page: 'list', view: '' }],
  ['/?v=mine', { page: 'list', view: 'mine' }],
  ['/t/12?v=all', { page: 'ticket', number: 12, view: 'all' }],
  ['/t/012', { page: 'nowhere' }],
  ['/t/1e3', { page: 'nowhere' }],
  ['/t/12/more', { page: 'nowhere' }],
  ['/new', { page: 'new' }],
  ['/new/x', { page: 'nowhere' }],
  ['/bind#ABCD', { page: 'bind' }],
  ['/admin/users', { page: 'admin', section: 'users' }],
  ['/ops', { page: 'operations' }],
  ['/%2e%2e/x', { page: 'nowhere' }],
])('%s is a place', async (address, place) => {
  expect((await at(address)).place.value).toEqual(place);
});

test('a place beside a list keeps which list it is, and nothing else', async () => {
  const { beside } = await at('/?v=all&q=tag%3Avpn&order=urgent&other=1');
  expect(beside('/t/3')).toBe('/t/3?v=all&q=tag%3Avpn&order=urgent');
  expect((await at('/')).beside('/t/3')).toBe('/t/3');
});

test('a member of the address is set, and is gone where it is empty', async () => {
  const { withParam } = await at('/t/3?v=all');
  expect(withParam('q', 'a b')).toBe('/t/3?v=all&q=a+b');
  expect(withParam('v', '')).toBe('/t/3');
});

test('going where one is makes no step back; replacing makes none either', async () => {
  const { go, place, query } = await at('/?v=all');
  go('/?v=all');
  expect(pushed).toEqual([]);
  go('/t/3');
  go('/?q=x', { replace: true });
  expect(pushed).toEqual(['+http://desk.example/t/3', '=http://desk.example/?q=x']);
  expect(place.value).toEqual({ page: 'list', view: '' });
  expect(query.value).toBe('x');
});

test('in a frame the path stays, and where the user is stands behind it', async () => {
  const { go, place } = await at('/embed?at=%2Ft%2F3', true);
  expect(place.value).toMatchObject({ page: 'ticket', number: 3 });
  go('/new');
  expect(pushed).toEqual(['+/embed?at=%2Fnew']);
});

test('only plain clicks on links of our own are followed', async () => {
  const { follow, place } = await at('/');
  const click = (link: object, more: object = {}) => {
    let stopped = false;
    const anchor = { origin: 'http://desk.example', target: '', pathname: '/t/3', href: 'http://desk.example/t/3', hasAttribute: () => false, ...link };
    follow({ target: { closest: () => anchor }, button: 0, preventDefault: () => (stopped = true), ...more } as unknown as MouseEvent);
    return stopped;
  };
  expect(click({ origin: 'http://elsewhere.example' })).toBe(false);
  expect(click({ target: '_blank' })).toBe(false);
  expect(click({ hasAttribute: () => true })).toBe(false);
  expect(click({ pathname: '/attachments/1' })).toBe(false);
  expect(click({}, { ctrlKey: true })).toBe(false);
  expect(click({}, { button: 1 })).toBe(false);
  expect(click({}, { defaultPrevented: true })).toBe(false);
  expect(place.value.page).toBe('list');
  expect(click({})).toBe(true);
  expect(place.value).toMatchObject({ page: 'ticket', number: 3 });
});
