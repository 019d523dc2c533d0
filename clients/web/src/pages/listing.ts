/* Which list an address means. */
import type { Listing } from '../state/list';
import type { Home } from '../state/home';
import type { IconName } from '../ui/icon';
import type { Text } from '../text/text';
import type { ViewOrder } from '@schema';

/** Views that every agent has. */
export const builtIn: { id: string; icon: IconName; name: Text; query: string; order: ViewOrder }[] = [
  { id: 'mine', icon: 'user', name: 'nav.mine', query: 'assignee:me -state:solved -state:closed', order: 'urgent' },
  { id: 'unassigned', icon: 'inbox', name: 'nav.unassigned', query: 'assignee:nobody -state:solved -state:closed', order: 'oldest' },
  { id: 'all', icon: 'text', name: 'nav.all', query: '', order: 'changed' },
  { id: 'snoozed', icon: 'moon', name: 'nav.snoozed', query: 'snoozed:yes', order: 'changed' },
];

/** Only filters, no words: what ticket.list takes, and a view can keep. */
export const onlyFilters = (query: string): boolean =>
  (query.match(/"[^"]*"|\S+/g) ?? []).every((word) => /^-?[a-z]+(\.[a-z0-9_]+)?:/.test(word)) && !/(^|\s)"/.test(query);

/** A query that is still being typed finds what begins with its last word; the desk takes that from three letters on. */
export const asTyped = (query: string): string => (/(^|\s)[\p{L}\p{N}]{3,}$/u.test(query) && (query.match(/"/g) ?? []).length % 2 === 0 ? `${query}*` : query);

export function listingOf(home: Home, view: string, query: string, order: string): Listing {
  if (query) return onlyFilters(query) && order ? { kind: 'filter', query, order: order as ViewOrder } : { kind: 'search', query: asTyped(query) };
  if (!home.agent) return { kind: 'all' };
  const known = builtIn.find(({ id }) => id === view) ?? (view ? undefined : builtIn[0]);
  if (!known) return { kind: 'view', view, ...(order && { order: order as ViewOrder }) };
  const asked = (order || known.order) as ViewOrder;
  return known.query || asked !== 'changed' ? { kind: 'filter', query: known.query || 'snoozed:any', order: asked } : { kind: 'all' };
}
