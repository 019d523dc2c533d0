/* Whom the user may know of, who of them is connected, and who looks at what. */
import { signal } from '@preact/signals';
import { SignalMap } from './signal_map';
import type { Cache } from './cache';
import type { LiveEvent } from '../wire/machine';
import type { Rpc } from '../wire/rpc';
import type { Online, Person, Viewer } from '@schema';

interface OnlineChange {
  user: string;
  online: boolean;
  status: string;
}

export class People {
  readonly byId = new SignalMap<Person>();
  /** Everybody, by name. */
  readonly all = signal<Person[]>([]);
  readonly online = signal<ReadonlyMap<string, Pick<Online, 'status'>>>(new Map());
  /** Who has a ticket open. */
  readonly viewers = new SignalMap<Viewer[]>();

  constructor(
    private readonly rpc: Rpc,
    private readonly cache: Cache,
  ) {}

  name(id: string | undefined): string {
    return (id && this.byId.at(id).value?.name) || '';
  }

  async restore(): Promise<void> {
    const people = await this.cache.seen<Person[]>('people');
    if (people && this.all.peek().length === 0) this.take(people);
  }

  async fetch(): Promise<void> {
    const people: Person[] = [];
    let after: string | undefined;
    do {
      const page = await this.rpc.call('person.list', { limit: 200, ...(after && { after }) });
      people.push(...page.items);
      after = page.next;
    } while (after);
    this.take(people);
    this.cache.see('people', people);
  }

  async fetchOnline(): Promise<void> {
    const online = new Map<string, Pick<Online, 'status'>>();
    let after: number | undefined;
    do {
      const page = await this.rpc.call('presence.online', after === undefined ? {} : { after });
      for (const { user, status } of page.items) online.set(user, { status });
      after = page.next;
    } while (after !== undefined);
    this.online.value = online;
  }

  /** Who looks at the tickets of a list. */
  async fetchViewers(tickets: readonly string[]): Promise<void> {
    for (let i = 0; i < tickets.length; i += 200) {
      const asked = tickets.slice(i, i + 200);
      const { items } = await this.rpc.call('presence.list', { tickets: asked });
      const found = new Map(items.map(({ ticket, people }) => [ticket, people]));
      for (const ticket of asked) this.viewers.set(ticket, found.get(ticket));
    }
  }

  apply({ type, data }: LiveEvent): void {
    if (type === 'person.changed') this.take([...this.all.peek().filter(({ id }) => id !== (data.person as Person).id), data.person as Person]);
    else if (type === 'presence.changed') this.viewers.set(data.ticket as string, data.people as Viewer[]);
    else if (type === 'presence.online') {
      const online = new Map(data.complete ? [] : this.online.peek());
      for (const { user, online: here, status } of data.people as OnlineChange[]) {
        if (here) online.set(user, { status });
        else online.delete(user);
      }
      this.online.value = online;
    }
  }

  private take(people: Person[]): void {
    for (const person of people) this.byId.set(person.id, person);
    this.all.value = people.sort((a, b) => a.name.localeCompare(b.name));
  }
}
