import { expect, test } from 'vitest';
import { foldThread, foldTicket, ticketOf, type Entry } from './fold';
import type { LiveEvent } from '../wire/machine';
import type { Comment, Ticket } from '@schema';

const ticket: Ticket = {
  id: 'T', number: 1, subject: 'VPN', requester: 'LINUS', state: 'new', priority: 'normal', tags: ['b'], watchers: [], created_at: 1, changed_at: 1, comments: 1, notes: 0,
  newest_comment: 'C1', conflicts: [], unread: 0, fields: [],
};
const event = (type: string, data: Record<string, unknown>, at = 5): LiveEvent => ({ type, at, data });
const comment = (id: string, author: string, created_at = 5): Comment => ({
  id, ticket: 'T', author, body: id, attachments: [], created_at, deleted: false, redacted: false, conflict: false,
});
const fold = (...events: LiveEvent[]): Ticket => events.reduce((t, e) => foldTicket(t, e, 'ME'), ticket);

test('what changed is as the event says, and the same event again changes nothing', () => {
  const changes = event('ticket.changed', { ticket: 'T', state: 'pending', wake_at: 9, label: 'L', priority: 'high', assignee: 'ME', type: 'TYPE', added_tag: 'a' });
  const once = fold(changes);
  expect(once).toMatchObject({ state: 'pending', wake_at: 9, label: 'L', priority: 'high', assignee: 'ME', type: 'TYPE', tags: ['a', 'b'], changed_at: 5 });
  expect(fold(changes, changes)).toEqual(once);
});

test('a state alone takes label and time along; null is nobody', () => {
  const t = fold(event('ticket.changed', { state: 'pending', wake_at: 9, label: 'L', assignee: 'ME' }), event('ticket.changed', { state: 'open' }), event('ticket.changed', { assignee: null }));
  expect(t.state).toBe('open');
  expect(t.label).toBeUndefined();
  expect(t.wake_at).toBeUndefined();
  expect('assignee' in t).toBe(false);
});

test('a conflict stays until the field is set again', () => {
  const torn = fold(event('ticket.changed', { state: 'open', conflict: 'state' }));
  expect(torn.conflicts).toEqual(['state']);
  expect(foldTicket(torn, event('ticket.changed', { priority: 'low' }), 'ME').conflicts).toEqual(['state']);
  expect(foldTicket(torn, event('ticket.changed', { state: 'open' }), 'ME').conflicts).toEqual([]);
});

test('sets, fields, team and merge', () => {
  const t = fold(
    event('ticket.changed', { removed_tag: 'b' }),
    event('ticket.changed', { added_watcher: 'ANN' }),
    event('ticket.field_changed', { field: 'F', value: '1' }),
    event('ticket.inner_field_changed', { field: 'G', value: '2' }),
    event('ticket.field_changed', { field: 'F', value: '3' }),
    event('ticket.inner_field_changed', { field: 'G' }),
    event('ticket.routed', { team: 'TEAM', conflict: false }),
    event('ticket.merged', { ticket: 'T', into: 'U' }),
  );
  expect(t).toMatchObject({ tags: [], watchers: ['ANN'], fields: [{ field: 'F', value: '3' }], team: 'TEAM', merged_into: 'U' });
});

test('what others write is unread, once; what one writes oneself has read all before', () => {
  const theirs = event('comment.added', { comment: comment('C2', 'ANN') });
  const once = fold(theirs);
  expect(once).toMatchObject({ comments: 2, newest_comment: 'C2', unread: 1 });
  expect(fold(theirs, theirs)).toEqual(once);
  expect(fold(theirs, event('comment.added', { comment: comment('C3', 'ME') }))).toMatchObject({ comments: 3, unread: 0 });
  expect(fold(theirs, event('read.marked', { ticket: 'T', comment: 'C2', unread: 0 }))).toMatchObject({ unread: 0 });
  expect(fold(event('note.added', { comment: comment('N1', 'ANN') }))).toMatchObject({ notes: 1, newest_comment: 'C1', unread: 1 });
});

test('events of other kinds leave the ticket as it is', () => {
  expect(fold(event('person.changed', { person: {} }), event('something.newer', { ticket: 'T' }))).toBe(ticket);
});

test('which ticket an event is about', () => {
  expect(ticketOf(event('ticket.created', { ticket }))).toBe('T');
  expect(ticketOf(event('comment.added', { comment: comment('C', 'ANN') }))).toBe('T');
  expect(ticketOf(event('access.lost', { ticket: 'U' }))).toBe('U');
  expect(ticketOf(event('project.changed', { name: 'x' }))).toBeUndefined();
});

test('a thread is in the order of time whatever the order of arrival', () => {
  const entries: Entry[] = [comment('C1', 'ANN', 1), comment('C2', 'ANN', 2), comment('C3', 'ANN', 2), comment('C4', 'ANN', 3)].map((c) => ({ ...c, note: false }));
  const orders = [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1, 2, 0]];
  for (const order of orders) expect(order.reduce<Entry[]>((thread, i) => foldThread(thread, entries[i]!), [])).toEqual(entries);
});

test('an entry that changed stands where it stood', () => {
  const [a, b] = [{ ...comment('C1', 'ANN', 1), note: false }, { ...comment('C2', 'ANN', 2), note: false }];
  expect(foldThread([a, b], { ...a, body: 'edited' }).map(({ body }) => body)).toEqual(['edited', 'C2']);
});
