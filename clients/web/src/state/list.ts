/* A list of tickets as the desk orders it, in pages that are fetched as somebody scrolls. It is asked anew, page by page, where tickets have changed:
 * which tickets a view has, and in which order, the desk alone knows. */
import { batch, signal } from '@preact/signals';
import type { Tickets } from './tickets';
import type { Cache } from './cache';
import type { Rpc } from '../wire/rpc';
import { isFailure, type Failure } from '../wire/failure';
import type { Found, Methods, Ticket } from '@schema';

/** What is listed: all that may be seen, what a view has, or what a search finds. */
export type Listing =
  | { kind: 'all' }
  | { kind: 'view'; view: string }
  | { kind: 'filter'; query: string; order?: NonNullable<Methods['ticket.list']['params']['order']> }
  | { kind: 'search'; query: string };

const PAGE = 50;
/* A page is asked anew with room for what came between: what falls off its end would be on no page. */
const PAGE_AGAIN = 100;
const AGAIN_MS = 500;

interface Page {
  after: string | undefined;
  ids: string[];
  stale: boolean;
}

export class List {
  readonly ids = signal<readonly string[]>([]);
  readonly snippets = signal<ReadonlyMap<string, string>>(new Map());
  readonly loading = signal(false);
  readonly complete = signal(false);
  readonly failure = signal<Failure | undefined>(undefined);
  private pages: Page[] = [];
  private next: string | undefined;
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
    const page: Page = { after: this.next, ids: [], stale: true };
    this.loading.value = true;
    try {
      this.next = await this.load(page, PAGE);
      this.pages.push(page);
      batch(() => {
        this.flatten();
        this.failure.value = undefined;
        this.complete.value = this.next === undefined;
      });
      if (this.pages.length === 1) this.remember();
    } catch (e) {
      if (isFailure(e)) this.failure.value = e;
      else throw e;
    } finally {
      this.loading.value = false;
    }
  }

  /** A ticket has changed: its page, and the first one, where it may have come to, are asked anew in a while. */
  touched(id: string): void {
    for (const [i, page] of this.pages.entries()) if (i === 0 || page.ids.includes(id)) page.stale = true;
    this.later();
  }

  /** All is to be asked anew. */
  reset(): void {
    for (const page of this.pages) page.stale = true;
    this.later();
  }

  private later(): void {
    if (!this.closed) this.timer ??= setTimeout(() => void this.again(), AGAIN_MS);
  }

  private async again(): Promise<void> {
    try {
      if (this.pages.length === 0) await this.more();
      for (const page of this.pages.filter(({ stale }) => stale)) await this.load(page, page === this.pages.at(-1) ? PAGE : PAGE_AGAIN, page === this.pages.at(-1));
      this.flatten();
      this.remember();
    } catch (e) {
      if (!isFailure(e)) throw e; /* all is asked anew once the desk is there again */
    } finally {
      this.timer = undefined;
    }
  }

  private async load(page: Page, limit: number, last = false): Promise<string | undefined> {
    page.stale = false;
    try {
      const { items, next } = await this.ask(page.after, limit);
      if (last) {
        this.next = next;
        this.complete.value = next === undefined;
      }
      batch(() => items.forEach((ticket) => this.tickets.put(ticket)));
      page.ids = items.map(({ id }) => id);
      return next;
    } catch (e) {
      page.stale = true;
      throw e;
    }
  }

  private async ask(after: string | undefined, limit: number): Promise<{ items: Ticket[]; next?: string | undefined }> {
    const { listing } = this;
    if (listing.kind === 'search') {
      const { items, next } = await this.rpc.call('ticket.search', { query: listing.query, limit: Math.min(limit, 50), ...(after && { after }) });
      const snippets = new Map(this.snippets.peek());
      for (const { ticket, snippet } of items as Found[]) snippets.set(ticket.id, snippet);
      this.snippets.value = snippets;
      return { items: items.map(({ ticket }) => ticket), next };
    }
    return this.rpc.call('ticket.list', {
      limit,
      ...(after && { after }),
      ...(listing.kind === 'view' && { view: listing.view }),
      ...(listing.kind === 'filter' && { query: listing.query, ...(listing.order && { order: listing.order }) }),
    });
  }

  private flatten(): void {
    const ids = [...new Set(this.pages.flatMap((page) => page.ids))];
    const old = this.ids.peek();
    if (ids.length !== old.length || ids.some((id, i) => id !== old[i])) this.ids.value = ids;
  }

  private remember(): void {
    if (this.listing.kind === 'search') return;
    const first = this.pages[0]?.ids.slice(0, PAGE) ?? [];
    this.cache.see(this.key, first.map((id) => this.tickets.byId.get(id)).filter((t) => t !== undefined));
  }
}
