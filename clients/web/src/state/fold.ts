/* What an event makes of a ticket or thread: pure, so that the same events always give the same view. Events say how things are; one that is
 * known already changes nothing. docs/protocol.md, "Putting it together". */
import type { Comment, Ticket } from '@schema';
import type { LiveEvent } from '../wire/machine';

const SIMPLE = ['subject', 'state', 'priority', 'assignee', 'type'] as const;

const withElement = <T>(list: readonly T[], element: T): T[] => (list.includes(element) ? [...list] : [...list, element]);
const without = <T>(list: readonly T[], element: T): T[] => list.filter((e) => e !== element);

/** Which ticket an event is about, where it is about one. */
export function ticketOf({ type, data }: LiveEvent): string | undefined {
  if (type === 'ticket.created') return (data.ticket as Ticket).id;
  if (data.comment && typeof data.comment === 'object') return (data.comment as Comment).ticket;
  return typeof data.ticket === 'string' ? data.ticket : undefined;
}

function changed(ticket: Ticket, data: Record<string, unknown>): Ticket {
  const next: Ticket = { ...ticket };
  let conflicts = next.conflicts;
  for (const name of SIMPLE) {
    if (!(name in data)) continue;
    if (data[name] === null) delete next[name as 'assignee' | 'type'];
    else Object.assign(next, { [name]: data[name] });
    conflicts = data.conflict === name ? withElement(conflicts, name) : without(conflicts, name);
  }
  if ('state' in data) {
    next.wake_at = data.wake_at as number | undefined;
    next.label = data.label as string | undefined;
  }
  if (typeof data.added_tag === 'string') next.tags = withElement(next.tags, data.added_tag).sort();
  if (typeof data.removed_tag === 'string') next.tags = without(next.tags, data.removed_tag);
  if (typeof data.added_watcher === 'string') next.watchers = withElement(next.watchers, data.added_watcher);
  if (typeof data.removed_watcher === 'string') next.watchers = without(next.watchers, data.removed_watcher);
  next.conflicts = conflicts;
  return next;
}

function added(ticket: Ticket, comment: Comment, note: boolean, me: string): Ticket {
  const known = note ? false : ticket.newest_comment !== undefined && ticket.newest_comment >= comment.id;
  if (known) return ticket;
  return {
    ...ticket,
    ...(note ? { notes: (ticket.notes ?? 0) + 1 } : { comments: ticket.comments + 1, newest_comment: comment.id }),
    unread: comment.author === me ? 0 : Math.min(100, (ticket.unread ?? 0) + 1),
  };
}

/** The ticket behind an event that is about it. `me`: whose view it is. */
export function foldTicket(ticket: Ticket, event: LiveEvent, me: string): Ticket {
  const { type, data } = event;
  let next = ticket;
  switch (type) {
    case 'ticket.changed':
      next = changed(ticket, data);
      break;
    case 'ticket.routed':
      next = { ...ticket, team: data.team as string | undefined, conflicts: data.conflict ? withElement(ticket.conflicts, 'team') : without(ticket.conflicts, 'team') };
      break;
    case 'ticket.field_changed':
    case 'ticket.inner_field_changed': {
      const fields = ticket.fields.filter(({ field }) => field !== data.field);
      if (data.value !== undefined) fields.push({ field: data.field as string, value: data.value as string });
      next = { ...ticket, fields };
      break;
    }
    case 'ticket.merged':
      next = { ...ticket, merged_into: data.into as string | undefined };
      break;
    case 'comment.added':
    case 'note.added':
      next = added(ticket, data.comment as Comment, type === 'note.added', me);
      break;
    case 'read.marked':
      return { ...ticket, unread: data.unread as number };
    default:
      return ticket;
  }
  return next === ticket ? ticket : { ...next, changed_at: Math.max(next.changed_at, event.at) };
}

/** Something that was written, and whether only agents see it. */
export type Entry = Comment & { note: boolean };

const older = (a: Entry, b: Entry): number => a.created_at - b.created_at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

/** A thread with an entry as it is now, in its place: the oldest first. */
export function foldThread(thread: readonly Entry[], entry: Entry): Entry[] {
  const rest = thread.filter(({ id }) => id !== entry.id);
  const last = rest.at(-1);
  return last && older(last, entry) > 0 ? [...rest, entry].sort(older) : [...rest, entry];
}
