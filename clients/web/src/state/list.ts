/* A list of tickets as the desk orders it: a chain of pages, each of which begins where the one before ends. Which tickets a list has, and in which order,
 * the desk alone knows: once anything has changed, each page is asked anew when it is in view, and where it ends otherwise than before, so is the next one. */
import { batch, signal } from '@preact/signals';
import type { Tickets } from './tickets';
import type { Cache } from './cache';
import type { Rpc } from '../wire/rpc';
import { isFailure, type Failure } from '../wire/failure';
import type { Found, Ticket, ViewOrder } from '@schema';

/** What is listed: all that may be seen, what a view has, or what a search finds. */
export type Listing =
  | { kind: 'all' }
  | { kind: 'view'; view: string; order?: ViewOrder }
  | { kind: 'filter'; query: string; order?: ViewOrder }
  | { kind: 'search'; query: string };

const PAGE = 50;
const AGAIN_MS = 500;

interface Page {
  after: string | undefined;
  ids: string[];
  /** How often the list had changed when this was asked; -1: it begins elsewhere now. */
  asked: number;
}

export class List {
  readonly ids = signal<readonly string[]>([]);
  readonly snippets = signal<ReadonlyMap<string, string>>(new Map());
  readonly loading = signal(false);
  readonly complete = signal(false);
  readonly failure = signal<Failure | undefined>(undefined);
  private pages: Page[] = [];
  private readonly pageOf = new Map<string, Page>();
  private next: string | undefined;
  private changes = 0;
  private view = { first: 0, last: 0 };
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(
    private readonly listing: Listing,
    private readonly rpc: Rpc,
    private readonly tickets: Tickets,
    private readonly cache: Cache,
  ) {}

  private get key(): string {
    return `list/${JSON.stringify(this.listing)}`;
  }

  async open(): Promise<void> {
    if (this.listing.kind !== 'search') {
      const seen = await this.cache.seen<Ticket[]>(this.key);
      if (seen && this.pages.length === 0 && !this.closed) {
        batch(() => {
          for (const ticket of seen) if (!this.tickets.byId.get(ticket.id)) this.tickets.put(ticket);
          this.ids.value = seen.map(({ id }) => id);
        });
      }
    }
    await this.more();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  /** The next page, where there is one. */
  async more(): Promise<void> {
    if (this.loading.peek() || this.complete.peek() || this.closed) return;
    const page: Page = { after: undefined, ids: [], asked: -1 };
    this.loading.value = true;
    try {
      let next: string | undefined;
      do {
        page.after = this.next;
        next = await this.load(page);
        if (this.complete.peek()) return;
      } while (page.after !== this.next); /* the chain came to end elsewhere meanwhile */
      this.pages.push(page);
      batch(() => {
        this.own(page);
        this.end(next);
        this.flatten(page);
        this.failure.value = undefined;
      });
      if (this.pages.length === 1) this.remember();
    } catch (e) {
      if (isFailure(e)) this.failure.value = e;
      else throw e;
    } finally {
      this.loading.value = false;
    }
  }

  /** Which rows can be seen: only their pages are kept as the desk has them. */
  look(first: number, last: number): void {
    this.view = { first, last };
    if (this.stale(this.changes)) this.later();
  }

  /** Its view has other filters, or another order. */
  viewChanged(view: string): void {
    if (this.listing.kind === 'view' && this.listing.view === view) this.touched();
  }

  /** A ticket has changed, and may have come to another place, or have come or gone. */
  touched(): void {
    this.changes++;
    this.later();
  }

  /** The desk is there again: what it did not answer is asked for once more. */
  goOn(): void {
    if (this.failure.peek()?.passing) this.later();
  }

  private later(): void {
    if (!this.closed) this.timer ??= setTimeout(() => void this.again(), AGAIN_MS);
  }

  /** The first page in view that was not asked since there were so many changes. */
  private stale(changes: number): Page | undefined {
    let row = 0;
    for (const page of this.pages) {
      const { length } = page.ids;
      if (row > this.view.last) return undefined;
      if (page.asked < changes && row + Math.max(length, 1) > this.view.first) return page;
      row += length;
    }
    return undefined;
  }

  private async again(): Promise<void> {
    const { changes } = this;
    try {
      if (this.pages.length === 0 || this.failure.peek()) await this.more();
      for (let page; (page = this.stale(changes)) && !this.closed; ) await this.follow(page);
      this.remember();
    } catch (e) {
      if (!isFailure(e)) throw e; /* all is asked anew once the desk is there again */
    } finally {
      this.timer = undefined;
      if (changes !== this.changes) this.later();
    }
  }

  /** A page is asked anew; the chain behind it begins where it ends. */
  private async follow(page: Page): Promise<void> {
    const next = await this.load(page);
    batch(() => {
      this.own(page);
      const behind = this.pages[this.pages.indexOf(page) + 1];
      if (next === undefined) this.cut(page);
      if (behind === undefined || next === undefined) this.end(next);
      else if (behind.after !== next) Object.assign(behind, { after: next, asked: -1 });
      this.flatten();
    });
  }

  private end(next: string | undefined): void {
    this.next = next;
    this.complete.value = next === undefined;
  }

  /** Nothing is behind a page. */
  private cut(page: Page): void {
    for (const { ids } of this.pages.splice(this.pages.indexOf(page) + 1)) for (const id of ids) this.pageOf.delete(id);
  }

  /** A ticket is on the page that was asked last: it has left the other one. */
  private own(page: Page): void {
    for (const id of page.ids) {
      const other = this.pageOf.get(id);
      if (other && other !== page) other.ids = other.ids.filter((one) => one !== id);
      this.pageOf.set(id, page);
    }
  }

  private async load(page: Page): Promise<string | undefined> {
    const { changes } = this;
    const { items, next } = await this.ask(page.after);
    batch(() => items.forEach((ticket) => this.tickets.put(ticket)));
    for (const id of page.ids) this.pageOf.delete(id);
    page.ids = items.map(({ id }) => id);
    page.asked = changes;
    return next;
  }

  private async ask(after: string | undefined): Promise<{ items: Ticket[]; next?: string | undefined }> {
    const { listing } = this;
    if (listing.kind === 'search') {
      const { items, next } = await this.rpc.call('ticket.search', { query: listing.query, limit: PAGE, ...(after && { after }) });
      const snippets = new Map(this.snippets.peek());
      for (const { ticket, snippet } of items as Found[]) snippets.set(ticket.id, snippet);
      this.snippets.value = snippets;
      return { items: items.map(({ ticket }) => ticket), next };
    }
    return this.rpc.call('ticket.list', {
      limit: PAGE,
      ...(after && { after }),
      ...(listing.kind === 'view' && { view: listing.view, ...(listing.order && { order: listing.order }) }),
      ...(listing.kind === 'filter' && { query: listing.query, ...(listing.order && { order: listing.order }) }),
    });
  }

  /* `added`: nothing but this page, at the end, is otherwise. */
  private flatten(added?: Page): void {
    const old = this.ids.peek();
    const ids = added && this.pages.length > 1 && this.rows() === old.length + added.ids.length ? old.concat(added.ids) : this.pages.flatMap((page) => page.ids);
    if (ids.length !== old.length || ids.some((id, i) => id !== old[i])) this.ids.value = ids;
  }

  private rows(): number {
    return this.pages.reduce((n, { ids }) => n + ids.length, 0);
  }

  private remember(): void {
    if (this.listing.kind === 'search') return;
    const first = this.pages[0]?.ids ?? [];
    this.cache.see(this.key, first.map((id) => this.tickets.byId.get(id)).filter((t) => t !== undefined));
  }
}
