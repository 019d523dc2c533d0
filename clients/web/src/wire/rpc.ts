/* Calls. Those that are made at once go as one batch. A call whose outcome is unknown is made again, which is safe: one that changes something
 * has an op_id, and acts once. */
import { code, Failure, failureOf, failureOfResponse, isFailure } from './failure';
import type { Session } from './session';
import type { Methods } from '@schema';

export type MethodName = keyof Methods;
type Params<M extends MethodName> = Methods[M]['params'];
type Result<M extends MethodName> = Methods[M]['result'];

interface Waiting {
  method: string;
  params: unknown;
  resolve: (result: never) => void;
  reject: (failure: unknown) => void;
}

interface Reply {
  id: number;
  result?: unknown;
  error?: { code: number; message: string };
}

const BATCH_MAX = 50;
const TRIES = 4;
const SLOW_MS = 3_000;
const LATE_MS = 30_000;

export interface CallOptions {
  /** How often a call that was not answered is made again; 0 for what is waited for elsewhere. */
  again?: number;
}

export class Rpc {
  private waiting: Waiting[] = [];
  private pausing = new AbortController();
  /** Told of a call that has waited for a while. */
  slow: () => void = () => undefined;

  constructor(
    private readonly session: Session,
    private readonly fetcher: typeof fetch,
    private readonly sleep: (ms: number) => Promise<void> = (ms) => new Promise((done) => setTimeout(done, ms)),
    private readonly random: () => number = Math.random,
  ) {}

  async call<M extends MethodName>(method: M, params: Params<M>, { again = TRIES - 1 }: CallOptions = {}): Promise<Result<M>> {
    for (let tried = 0; ; tried++) {
      try {
        return await this.once(method, params);
      } catch (e) {
        if (!isFailure(e, code.unreachable, code.unavailable) || tried >= again) throw e;
        await this.sleep(this.random() * Math.max(e.data.retry_after_ms ?? 0, 200 * 2 ** tried));
      }
    }
  }

  /** Ends what waits for the desk, once it is known that it can't be heard: what has an outcome is asked for again, by its op_id. */
  pause(): void {
    this.pausing.abort();
    this.pausing = new AbortController();
  }

  /** What a pause ends. */
  get signal(): AbortSignal {
    return this.pausing.signal;
  }

  private once<M extends MethodName>(method: M, params: Params<M>): Promise<Result<M>> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ method, params, resolve, reject });
      if (this.waiting.length === 1) queueMicrotask(() => this.flush());
    });
  }

  private flush(): void {
    const all = this.waiting;
    this.waiting = [];
    for (let i = 0; i < all.length; i += BATCH_MAX) void this.send(all.slice(i, i + BATCH_MAX));
  }

  private async send(batch: Waiting[], stale?: string): Promise<void> {
    let token: string | undefined;
    try {
      ({ token } = await this.session.open(stale));
      const replies = await this.post(batch, token);
      const refused: Waiting[] = [];
      for (const [i, waiting] of batch.entries()) {
        const { resolve, reject } = waiting;
        const reply = replies.get(i);
        if (!reply) reject(new Failure(code.unavailable, 'no answer'));
        else if (reply.error?.code === code.unauthenticated && stale === undefined) refused.push(waiting);
        /* the others' results left no room for this one: alone, it has all */
        else if (reply.error?.code === code.tooLarge && batch.length > 1) void this.send([waiting], stale);
        else if (reply.error) reject(failureOf(reply.error));
        else resolve(reply.result as never);
      }
      if (refused.length) await this.send(refused, token);
    } catch (e) {
      if (isFailure(e, code.unauthenticated) && stale === undefined && token !== undefined) return this.send(batch, token);
      for (const { reject } of batch) reject(e);
    }
  }

  private async post(batch: Waiting[], token: string): Promise<Map<number, Reply>> {
    const calls = batch.map(({ method, params }, id) => ({ jsonrpc: '2.0', id, method, params }));
    const slow = setTimeout(() => this.slow(), SLOW_MS);
    /* no AbortSignal.timeout: it lives on behind the answer, and holds what hangs on it */
    const late = new AbortController();
    const end = setTimeout(() => late.abort(), LATE_MS);
    try {
      const response = await this.fetcher('/rpc', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
        body: JSON.stringify(calls.length === 1 ? calls[0] : calls),
        signal: AbortSignal.any([late.signal, this.signal]),
      })
        .catch(() => {
          throw new Failure(code.unreachable, 'the desk does not answer');
        })
        .finally(() => clearTimeout(slow));
      if (!response.ok) throw await failureOfResponse(response);
      const body = (await response.json().catch(() => {
        throw new Failure(code.unreachable, 'the answer broke off');
      })) as Reply | Reply[];
      return new Map((Array.isArray(body) ? body : [body]).map((reply) => [reply.id, reply]));
    } finally {
      clearTimeout(end);
    }
  }
}
