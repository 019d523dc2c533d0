/* Where the user is: the page's address, which every place has. */
import { computed, signal } from '@preact/signals';

/** In somebody else's frame the page stays at one path, which alone may be framed: where the user is stands behind it. */
export const embedded = document.documentElement.dataset.embed !== undefined;

const here = (): URL => new URL(embedded ? (new URL(location.href).searchParams.get('at') ?? '/') : location.href, location.origin);
const addressOf = (to: URL): string => (embedded ? `/embed?${new URLSearchParams({ at: to.pathname + to.search })}` : to.href);

const url = signal(here());
addEventListener('popstate', () => (url.value = here()));

export type Place =
  | { page: 'list'; view: string }
  | { page: 'ticket'; number: number; view: string }
  | { page: 'new' }
  | { page: 'bind' }
  | { page: 'settings' }
  | { page: 'mentions' }
  | { page: 'admin'; section: string }
  | { page: 'operations' }
  | { page: 'nowhere' };

/** `?v=` says which list stands beside a ticket, `?q=` what is searched for. */
export const place = computed<Place>(() => {
  const { pathname, searchParams } = url.value;
  const [, first = '', second = '', ...more] = pathname.split('/');
  const view = searchParams.get('v') ?? '';
  if (more.length) return { page: 'nowhere' };
  if (first === '') return { page: 'list', view };
  if (first === 't' && /^[1-9][0-9]{0,14}$/.test(second)) return { page: 'ticket', number: Number(second), view };
  if (first === 'admin') return { page: 'admin', section: second };
  if (first === 'new' || first === 'bind' || first === 'settings' || first === 'mentions') return second ? { page: 'nowhere' } : { page: first };
  if (first === 'ops') return { page: 'operations' };
  return { page: 'nowhere' };
});

export const query = computed(() => url.value.searchParams.get('q') ?? '');
/** What stands behind the # of a mail's link. */
export const fragment = computed(() => url.value.hash.slice(1));

export function go(to: string, { replace = false } = {}): void {
  const next = new URL(to, url.peek());
  if (next.href === url.peek().href) return;
  if (replace) history.replaceState(null, '', addressOf(next));
  else history.pushState(null, '', addressOf(next));
  url.value = next;
}

/** A place beside the list that is there now. */
export function beside(path: string): string {
  const { searchParams } = url.value;
  const kept = new URLSearchParams();
  for (const name of ['v', 'q', 'order']) {
    const value = searchParams.get(name);
    if (value) kept.set(name, value);
  }
  return kept.size ? `${path}?${kept}` : path;
}

/** The list with another member of its address. */
export function withParam(name: string, value: string): string {
  const next = new URL(url.value);
  if (value) next.searchParams.set(name, value);
  else next.searchParams.delete(name);
  return next.pathname + next.search;
}

export const param = (name: string): string => url.value.searchParams.get(name) ?? '';

/** Links of our own are followed without a load. */
export function follow(event: MouseEvent): void {
  const link = (event.target as Element | null)?.closest?.('a');
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (link.origin !== location.origin || link.target || link.hasAttribute('download') || link.pathname.startsWith('/attachments/')) return;
  event.preventDefault();
  go(link.href);
}
