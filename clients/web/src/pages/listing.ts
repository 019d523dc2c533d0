/* Which list an address means. */
import type { Listing } from '../state/list';
import type { Home } from '../state/home';
import type { IconName } from '../ui/icon';
import type { Text } from '../text/text';

/** Views that every agent has. */
export const builtIn: { id: string; icon: IconName; name: Text; query: string; order: 'changed' | 'urgent' | 'oldest' }[] = [
  { id: 'mine', icon: 'user', name: 'nav.mine', query: 'assignee:me -state:solved -state:closed', order: 'urgent' },
  { id: 'unassigned', icon: 'inbox', name: 'nav.unassigned', query: 'assignee:nobody -state:solved -state:closed', order: 'oldest' },
  { id: 'all', icon: 'text', name: 'nav.all', query: '', order: 'changed' },
  { id: 'snoozed', icon: 'moon', name: 'nav.snoozed', query: 'snoozed:yes', order: 'changed' },
];

type Order = NonNullable<Extract<Listing, { kind: 'filter' }>['order']>;

/** Only filters, no words: what ticket.list takes, and a view can keep. */
export const onlyFilters = (query: string): boolean =>
  (query.match(/"[^"]*"|\S+/g) ?? []).every((word) => /^-?[a-z]+(\.[a-z0-9_]+)?:/.test(word)) && !/(^|\s)"/.test(query);

export function listingOf(home: Home, view: string, query: string, order: string): Listing {
  if (query) return onlyFilters(query) && order ? { kind: 'filter', query, order: order as Order } : { kind: 'search', query };
  if (!home.agent) return { kind: 'all' };
  const known = builtIn.find(({ id }) => id === view) ?? (view ? undefined : builtIn[0]);
  if (!known) return { kind: 'view', view };
  const asked = (order || known.order) as Order;
  return known.query || asked !== 'changed' ? { kind: 'filter', query: known.query || 'snoozed:any', order: asked } : { kind: 'all' };
}
