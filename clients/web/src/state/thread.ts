/* What was written on a ticket that is open: comments, and for agents notes, in one thread. */
import { signal } from '@preact/signals';
import { foldThread, type Entry } from './fold';
import type { Cache } from './cache';
import type { LiveEvent } from '../wire/machine';
import { isFailure, type Failure } from '../wire/failure';
import type { Rpc } from '../wire/rpc';
import type { Comment } from '@schema';

export class Thread {
  readonly entries = signal<readonly Entry[]>([]);
  /** Everything that the desk has is here. */
  readonly complete = signal(false);
  readonly failure = signal<Failure | undefined>(undefined);
  /** The newest public comment that the user has had in view: what a reply has seen. */
  readonly seen = signal<string | undefined>(undefined);
  private came: Entry[] | undefined;
  private again = false;

  constructor(
    readonly ticket: string,
    private readonly rpc: Rpc,
    private readonly cache: Cache,
    private readonly agent: boolean,
  ) {}

  async open(): Promise<void> {
    const seen = await this.cache.seen<Entry[]>(`thread/${this.ticket}`);
    if (seen && this.entries.peek().length === 0) this.entries.value = seen;
    await this.fetch();
  }

  /** All that the desk has, with what comes meanwhile. One at a time; asked for during one, another follows. */
  async fetch(): Promise<void> {
    if (this.came) return void (this.again = true);
    do {
      this.again = false;
      this.came = [];
      await this.fetchOnce(this.came);
    } while (this.again);
    this.came = undefined;
  }

  private async fetchOnce(came: Entry[]): Promise<void> {
    try {
      const [comments, notes] = await Promise.all([this.pages('comment.list'), this.agent ? this.pages('note.list') : []]);
      let thread: Entry[] = [];
      for (const entry of [...comments, ...notes, ...came]) thread = foldThread(thread, entry);
      this.entries.value = thread;
      this.complete.value = true;
      this.failure.value = undefined;
      this.remember();
    } catch (e) {
      if (!isFailure(e)) throw e;
      this.failure.value = e;
    }
  }

  apply(event: LiveEvent): void {
    const [, noun, what] = /^(comment|note)\.(added|changed)$/.exec(event.type) ?? [];
    if (noun && what) {
      const comment = event.data.comment as Comment;
      if (comment.ticket === this.ticket || this.entries.peek().some(({ id }) => id === comment.id)) this.take({ ...comment, note: noun === 'note' });
    } else if (/^(comment|note)\.moved$|^ticket\.merged$/.test(event.type)) void this.fetch(); /* what shows where is the desk's to say */
  }

  take(entry: Entry): void {
    this.came?.push(entry);
    this.entries.value = foldThread(this.entries.peek(), entry);
    if (this.complete.peek()) this.remember();
  }

  private remember(): void {
    this.cache.see(`thread/${this.ticket}`, this.entries.peek().slice(-200));
  }

  private async pages(method: 'comment.list' | 'note.list'): Promise<Entry[]> {
    const entries: Entry[] = [];
    let after: string | undefined;
    do {
      const page = await this.rpc.call(method, { ticket: this.ticket, limit: 200, ...(after && { after }) });
      for (const comment of page.items) entries.push({ ...comment, note: method === 'note.list' });
      after = page.next;
    } while (after);
    return entries;
  }
}
