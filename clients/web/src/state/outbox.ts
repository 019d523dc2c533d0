/* Changes on their way to the desk. Each is kept until the desk has answered, over reloads and days without a network; since its op_id goes with it, it
 * acts once however often it is sent, by whichever tab. What the desk refuses stays, with the reason, until somebody decides. */
import { signal } from '@preact/signals';
import { ulid } from '../wire/bytes';
import { isFailure, type Failure } from '../wire/failure';
import type { MethodName, Rpc } from '../wire/rpc';
import type { Cache, Queued } from './cache';
import type { Methods } from '@schema';

const CHANNEL = 'assist-outbox';
const PAUSE_MAX_MS = 15_000;

export class Outbox {
  readonly queue = signal<readonly Queued[]>([]);
  private readonly channel: BroadcastChannel;
  private readonly waiting = new Map<string, { resolve: (result: never) => void; reject: (failure: Failure) => void }>();
  private sending = false;
  private pause = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly rpc: Rpc,
    private readonly cache: Cache,
    user: string,
    private readonly wait: (f: () => void, ms: number) => ReturnType<typeof setTimeout> = (f, ms) => setTimeout(f, ms),
  ) {
    this.channel = new BroadcastChannel(`${CHANNEL}-${user}`);
    this.channel.onmessage = () => void this.restore();
  }

  /** What another visit or tab has left. */
  async restore(): Promise<void> {
    const kept = await this.cache.all('queue');
    if (!this.cache.kept) return;
    const known = new Map(kept.map((queued) => [queued.op_id, queued]));
    for (const queued of this.queue.peek()) if (this.waiting.has(queued.op_id) && !known.has(queued.op_id)) known.set(queued.op_id, queued);
    this.queue.value = [...known.values()].sort((a, b) => (a.op_id < b.op_id ? -1 : 1));
    void this.flush();
  }

  /** Sends a change, now or when the desk is there, by the name of `op_id`. The answer is the desk's; a Failure is its refusal. */
  send<M extends MethodName>(method: M, params: Methods[M]['params'], ticket?: string, op_id = ulid()): Promise<Methods[M]['result']> {
    const queued: Queued = { op_id, method, params: { ...(params as object), op_id }, at: Date.now(), ...(ticket && { ticket }) };
    const answer = new Promise<Methods[M]['result']>((resolve, reject) => this.waiting.set(op_id, { resolve, reject }));
    this.queue.value = [...this.queue.peek(), queued];
    void this.keep(queued).then(() => this.flush());
    return answer;
  }

  private async keep(queued: Queued): Promise<void> {
    if (await this.cache.put('queue', queued)) return;
    this.queue.value = this.queue.peek().map((q) => (q.op_id === queued.op_id ? { ...queued, fleeting: true } : q));
  }

  /** Try what was refused again, as another change (`params`: what is otherwise), or let it go. */
  async retry(op_id: string, params: Record<string, unknown> = {}): Promise<void> {
    const queued = this.queue.peek().find((q) => q.op_id === op_id);
    if (!queued) return;
    await this.discard(op_id);
    this.send(queued.method as MethodName, { ...queued.params, ...params } as never, queued.ticket).catch(() => undefined);
  }

  async discard(op_id: string): Promise<void> {
    this.queue.value = this.queue.peek().filter((q) => q.op_id !== op_id);
    await this.cache.remove('queue', op_id);
    this.tell();
  }

  /** The desk is there (again). */
  hurry(): void {
    this.pause = 0;
    clearTimeout(this.timer);
    this.timer = undefined;
    void this.flush();
  }

  private tell(): void {
    this.channel.postMessage('changed');
  }

  /* One at a time: they are told in the order in which they were made. */
  private async flush(): Promise<void> {
    if (this.sending || this.timer !== undefined) return;
    this.sending = true;
    try {
      for (let queued; (queued = this.queue.peek().find((q) => q.failed === undefined)); ) if (!(await this.sendOne(queued))) break;
    } finally {
      this.sending = false;
    }
  }

  private async sendOne(queued: Queued): Promise<boolean> {
    const waiting = this.waiting.get(queued.op_id);
    try {
      const result = await this.rpc.call(queued.method as MethodName, queued.params as never, { again: 0 });
      this.pause = 0;
      this.waiting.delete(queued.op_id);
      await this.discard(queued.op_id);
      waiting?.resolve(result as never);
      return true;
    } catch (e) {
      if (!isFailure(e)) throw e;
      if (e.passing) {
        this.pause = Math.min(PAUSE_MAX_MS, Math.max(500, this.pause * 2));
        this.timer = this.wait(() => {
          this.timer = undefined;
          void this.flush();
        }, e.data.retry_after_ms ?? this.pause * (0.5 + Math.random() / 2));
        return false;
      }
      this.waiting.delete(queued.op_id);
      await this.refuse(queued, e, waiting !== undefined);
      waiting?.reject(e);
      return true;
    }
  }

  /* Who waits for the answer deals with the refusal; else it is kept to be shown. */
  private async refuse(queued: Queued, failure: Failure, told: boolean): Promise<void> {
    if (told) return this.discard(queued.op_id);
    const failed = { ...queued, failed: failure.data.reason ?? failure.message };
    this.queue.value = this.queue.peek().map((q) => (q.op_id === queued.op_id ? failed : q));
    await this.keep(failed);
    this.tell();
  }
}
