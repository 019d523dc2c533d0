import { expect, test } from 'vitest';
import type { Cache } from './cache';
import { Tickets } from './tickets';
import { code, Failure } from '../wire/failure';
import type { Rpc } from '../wire/rpc';
import type { Ticket } from '@schema';

const ticket = (id: string, more: Partial<Ticket> = {}): Ticket => ({ id, number: 7, subject: id, state: 'open', ...more }) as Ticket;

function known(answer: () => Ticket) {
  const call = async () => ({ ticket: answer(), grant: '', cursor: '' });
  const tickets = new Tickets({ call } as unknown as Rpc, 'me', { see: () => undefined } as unknown as Cache);
  tickets.put(ticket('old', { state: 'solved', unread: 2 }));
  return tickets;
}

test('a ticket that is asked for again is as the desk has it', async () => {
  const tickets = known(() => ticket('old', { unread: 0 }));
  await tickets.again('old');
  expect(tickets.byId.get('old')).toMatchObject({ state: 'open', unread: 0 });
  expect(tickets.unread.value.size).toBe(0);
});

test('one that is not there any more is forgotten, whoever has its number now', async () => {
  const tickets = known(() => {
    throw new Failure(code.notFound, 'NotFound');
  });
  await tickets.again('old');
  expect(tickets.byId.get('old')).toBeUndefined();
  expect(tickets.unread.value.size).toBe(0);
});

test('one of which the desk says nothing stays as it was', async () => {
  const tickets = known(() => {
    throw new Failure(code.unreachable, 'down');
  });
  await expect(tickets.again('old')).rejects.toThrow();
  expect(tickets.byId.get('old')?.state).toBe('solved');
});
