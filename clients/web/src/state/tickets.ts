/* The tickets that are known here, each as it is now. */
import { signal } from '@preact/signals';
import { SignalMap } from './signal_map';
import { foldTicket, ticketOf } from './fold';
import { code, isFailure } from '../wire/failure';
import type { Cache } from './cache';
import type { LiveEvent } from '../wire/machine';
import type { Rpc } from '../wire/rpc';
import type { Ticket } from '@schema';

export class Tickets {
  readonly byId = new SignalMap<Ticket>();
  /** Those with something unread. */
  readonly unread = signal<ReadonlySet<string>>(new Set());
  private readonly numbers = new Map<number, string>();

  constructor(
    private readonly rpc: Rpc,
    private readonly me: string,
    private readonly cache: Cache,
  ) {}

  /** As the desk just told it. What events do not tell stays, where it does not either. */
  put(ticket: Ticket): void {
    const { unread } = this.byId.get(ticket.id) ?? {};
    this.numbers.set(ticket.number, ticket.id);
    this.set(ticket.id, ticket.unread === undefined && unread !== undefined ? { ...ticket, unread } : ticket);
  }

  private set(id: string, ticket: Ticket | undefined): void {
    this.byId.set(id, ticket);
    const unread = ticket?.unread !== undefined && ticket.unread > 0;
    if (unread === this.unread.peek().has(id)) return;
    const ids = new Set(this.unread.peek());
    if (unread) ids.add(id);
    else ids.delete(id);
    this.unread.value = ids;
  }

  byNumber(number: number): Ticket | undefined {
    const id = this.numbers.get(number);
    return id === undefined ? undefined : this.byId.get(id);
  }

  /** Shows the ticket as it was last seen until the desk has answered. The grant: that the caller may be shown there. */
  async fetch(number: number): Promise<{ ticket: Ticket; grant: string; cursor: string }> {
    const got = await this.rpc.call('ticket.get', { number });
    this.put(got.ticket);
    this.cache.see(`ticket/${number}`, got.ticket);
    return got;
  }

  /** As it is now, where no events told it; forgotten, where it is not there any more. By its id: after a restore its number may be another one's. */
  async again(id: string): Promise<void> {
    try {
      this.put((await this.rpc.call('ticket.get', { ticket: id })).ticket);
    } catch (e) {
      if (!isFailure(e, code.notFound)) throw e;
      this.set(id, undefined);
    }
  }

  async seen(number: number): Promise<Ticket | undefined> {
    if (!this.byNumber(number)) {
      const ticket = await this.cache.seen<Ticket>(`ticket/${number}`);
      if (ticket && !this.byNumber(number)) this.put(ticket);
    }
    return this.byNumber(number);
  }

  apply(event: LiveEvent): void {
    if (event.type === 'ticket.created') {
      const ticket = event.data.ticket as Ticket;
      if (!this.byId.get(ticket.id)) this.put(ticket);
      return;
    }
    const id = ticketOf(event);
    const ticket = id === undefined ? undefined : this.byId.get(id);
    if (!ticket) return;
    if (event.type === 'access.lost') this.set(ticket.id, undefined);
    else {
      const next = foldTicket(ticket, event, this.me);
      if (next !== ticket) this.set(ticket.id, next);
    }
  }
}
