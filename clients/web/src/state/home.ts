/* The desk as one user sees it: everything that is known, kept as it is by the events that come. */
import { computed, signal } from '@preact/signals';
import { Cache } from './cache';
import { Definitions } from './definitions';
import { Drafts } from './drafts';
import { List, type Listing } from './list';
import { Outbox } from './outbox';
import { People } from './people';
import { Presence } from './presence';
import { Thread } from './thread';
import { Tickets } from './tickets';
import { Uploads } from './uploads';
import { ticketOf } from './fold';
import { ignoreFailure, isFailure } from '../wire/failure';
import { Live } from '../wire/live';
import type { LiveEvent } from '../wire/machine';
import type { Rpc } from '../wire/rpc';
import type { Session } from '../wire/session';
import type { Mention, Role, Snooze, View, ViewTally } from '@schema';

const COUNT_MS = 1_000;
const GONE_MS = 1_500;

export interface Me {
  user: string;
  name: string;
  role: Role;
}

export class Home {
  readonly tickets: Tickets;
  readonly people: People;
  readonly definitions: Definitions;
  readonly outbox: Outbox;
  readonly uploads: Uploads;
  readonly drafts: Drafts;
  readonly presence: Presence;
  readonly counts = signal<ReadonlyMap<string, ViewTally>>(new Map());
  readonly snoozes = signal<ReadonlyMap<string, Snooze>>(new Map());
  /** Where the user was named, since the page is open. */
  readonly mentions = signal<readonly Mention[]>([]);
  /** How many of those the user has not looked at. */
  readonly named = signal(0);
  /** Counts how often all that was known here had to be fetched again. */
  readonly resets = signal(0);
  /** The desk is not heard: what is shown may be old. Not said of a pause that is over at once. */
  readonly offline = signal(false);
  /** How many devices the user has has changed: whoever shows them asks anew. */
  readonly devices = signal(0);
  /** Tickets were linked or are so no more: whoever shows links asks anew. */
  readonly linked = signal(0);
  readonly projectName = signal('');
  readonly failed = computed(() => this.outbox.queue.value.filter((q) => q.failed !== undefined));
  readonly queued = computed(() => this.outbox.queue.value.filter((q) => q.failed === undefined));
  /** How many tickets of the user's own work have something unread. */
  readonly unread = computed(
    () =>
      [...this.tickets.unread.value].filter((id) => {
        const ticket = this.tickets.byId.get(id);
        return ticket && (this.me.role === 'customer' || ticket.assignee === this.me.user);
      }).length,
  );
  readonly agent: boolean;
  readonly admin: boolean;
  private readonly live: Live;
  private readonly lists = new Set<List>();
  private readonly threads = new Map<string, { thread: Thread; users: number }>();
  private goneTimer: ReturnType<typeof setTimeout> | undefined;
  private countTimer: ReturnType<typeof setTimeout> | undefined;
  private counted: readonly string[] = [];
  private connections = 0;

  private constructor(
    readonly me: Me,
    readonly rpc: Rpc,
    session: Session,
    readonly cache: Cache,
    fetcher: typeof fetch,
    /** The role is another one, or the device is bound no more: this Home is over. */
    private readonly over: (reason: string) => void,
  ) {
    this.agent = me.role !== 'customer';
    this.admin = me.role === 'admin';
    this.tickets = new Tickets(rpc, me.user, cache);
    this.people = new People(rpc, cache);
    this.definitions = new Definitions(rpc, cache, this.agent);
    this.outbox = new Outbox(rpc, cache, me.user);
    this.uploads = new Uploads(rpc, session, cache, fetcher);
    this.drafts = new Drafts(rpc, cache);
    this.presence = new Presence(rpc, this.people);
    this.live = new Live(
      session,
      {
        connection: (id) => this.connection(id),
        event: (event) => this.event(event),
        reset: (reason) => (reason === 'the role changed' ? this.over(reason) : this.anew()),
        over: (reason) => this.over(reason),
      },
      () => rpc.call('project.info', {}, { again: 0 }),
    );
    rpc.slow = this.live.doubt;
  }

  static async open(me: Me, rpc: Rpc, session: Session, fetcher: typeof fetch, over: (reason: string) => void): Promise<Home> {
    const cache = await Cache.open(me.user);
    const home = new Home(me, rpc, session, cache, fetcher, over);
    await Promise.all([home.people.restore(), home.definitions.restore(), cache.seen<string>('project').then((name) => (home.projectName.value = name ?? ''))]);
    void home.outbox.restore();
    return home;
  }

  close(): void {
    this.live.stop();
    clearTimeout(this.goneTimer);
    clearTimeout(this.countTimer);
    for (const list of this.lists) list.close();
  }

  /** The log's position up to which this page has seen it: goes with changes, so that the desk knows what they did not know of. */
  get cursor(): string | undefined {
    return this.live.machine.cursor || undefined;
  }

  openList(listing: Listing): List {
    const list = new List(listing, this.rpc, this.tickets, this.cache);
    this.lists.add(list);
    void list.open();
    return list;
  }

  closeList(list: List): void {
    list.close();
    this.lists.delete(list);
  }

  openThread(ticket: string): Thread {
    let open = this.threads.get(ticket);
    if (!open) {
      this.threads.set(ticket, (open = { thread: new Thread(ticket, this.rpc, this.cache, this.agent), users: 0 }));
      void open.thread.open();
    }
    open.users++;
    return open.thread;
  }

  closeThread(ticket: string): void {
    const open = this.threads.get(ticket);
    if (open && --open.users === 0) this.threads.delete(ticket);
  }

  /** Which views are shown with their counts. */
  count(views: readonly string[]): void {
    this.counted = views;
    this.countLater(0);
  }

  markRead(ticket: string, comment: string): void {
    const known = this.tickets.byId.get(ticket);
    if (known?.unread) this.tickets.put({ ...known, unread: 0 });
    this.rpc.call('read.mark', { ticket, comment }, { again: 1 }).catch(ignoreFailure);
  }

  /* ---- what comes ---- */

  private connection(id: string | undefined): void {
    this.presence.connection(id);
    if (id === undefined) {
      this.goneTimer ??= setTimeout(() => {
        this.offline.value = true;
        this.rpc.pause();
      }, GONE_MS);
      return;
    }
    clearTimeout(this.goneTimer);
    this.goneTimer = undefined;
    this.offline.value = false;
    this.outbox.hurry();
    this.uploads.goOn();
    for (const list of this.lists) list.goOn();
    this.quietly(this.people.fetchOnline());
    /* the first fetch comes behind the hello, so that nothing is missed between the two; what is only the user's own is not told again */
    if (this.connections++ === 0) this.refresh();
    else this.fetchOwn();
  }

  private event(event: LiveEvent): void {
    this.tickets.apply(event);
    this.people.apply(event);
    this.definitions.apply(event);
    this.drafts.apply(event);
    for (const { thread } of this.threads.values()) thread.apply(event);
    const ticket = ticketOf(event);
    if (ticket !== undefined && !event.type.startsWith('presence.') && !/^(read|draft)\./.test(event.type)) {
      for (const list of this.lists) list.touched();
      this.countLater(COUNT_MS);
    }
    if (event.type === 'view.changed' || event.type === 'own_view.changed') {
      for (const list of this.lists) list.viewChanged((event.data.view as View).view);
      this.countLater(0);
    }
    if (event.type === 'mention.added') this.mentioned(event.data.mention as Mention);
    else if (event.type === 'snooze.changed') this.quietly(this.fetchSnoozes());
    else if (event.type.startsWith('link.')) this.linked.value++;
    else if (event.type === 'device.changed') this.devices.value++;
    else if (event.type === 'project.changed') this.nameProject(event.data.name as string);
  }

  private mentioned(mention: Mention): void {
    if (this.mentions.peek().some(({ comment }) => comment === mention.comment)) return;
    this.mentions.value = [mention, ...this.mentions.peek()].slice(0, 50);
    this.named.value++;
  }

  /* Of a ticket that is open nothing else asks: lists do so for theirs. */
  private anew(): void {
    this.mentions.value = [];
    this.resets.value++;
    for (const id of this.threads.keys()) this.quietly(this.tickets.again(id));
    this.refresh();
  }

  private refresh(): void {
    this.quietly(this.people.fetch());
    this.quietly(this.definitions.fetch());
    this.quietly(this.rpc.call('project.info', {}).then(({ name }) => this.nameProject(name)));
    for (const list of this.lists) list.touched();
    for (const { thread } of this.threads.values()) void thread.fetch();
    this.countLater(0);
    this.fetchOwn();
  }

  private fetchOwn(): void {
    if (this.agent) this.quietly(this.fetchSnoozes());
    this.devices.value++;
  }

  private async fetchSnoozes(): Promise<void> {
    const { items } = await this.rpc.call('snooze.list', {});
    this.snoozes.value = new Map(items.map((snooze) => [snooze.ticket, snooze]));
  }

  private countLater(ms: number): void {
    if (this.counted.length && this.agent) this.countTimer ??= setTimeout(() => void this.fetchCounts(), ms);
  }

  private async fetchCounts(): Promise<void> {
    try {
      const counts = new Map<string, ViewTally>();
      for (let i = 0; i < this.counted.length; i += 50) {
        const { items } = await this.rpc.call('view.count', { views: this.counted.slice(i, i + 50) });
        for (const tally of items) counts.set(tally.view, tally);
      }
      this.counts.value = counts;
    } catch (e) {
      if (!isFailure(e)) throw e;
    } finally {
      this.countTimer = undefined;
    }
  }

  private nameProject(name: string): void {
    this.projectName.value = name;
    this.cache.see('project', name);
  }

  /* What could not be fetched is fetched when the desk is there again; until then, what was seen is shown. */
  private quietly(work: Promise<unknown>): void {
    work.catch(ignoreFailure);
  }
}
