/* The live side's rules without its socket: what each message of a desk means, and when to connect again. The same rules as libassist's
 * live_machine.c, held to the same script (clients/live_script.json). docs/protocol.md, "Live".
 *
 * What happens is told by the methods; what is to be done about it, next() says. Each event is given out once, in the desk's order, and none is
 * missing unless a reset was told. Time and dice are injected. */
import type { Role } from '@schema';

export interface LiveEvent {
  type: string;
  op_id?: string;
  actor?: string;
  at: number;
  data: Record<string, unknown>;
}

interface Message {
  type?: string;
  session?: string;
  cursor?: string;
  mode?: string;
  reason?: string;
  role?: Role;
  retry_after_ms?: number;
  from?: string;
  to?: string;
  events?: LiveEvent[];
  more?: boolean;
}

export type Action =
  /** Until something is told, or due(). */
  | { what: 'nothing' }
  /** Then tell accepted, refused, unreachable or end. */
  | { what: 'connect'; renew: boolean }
  | { what: 'drop' }
  | { what: 'send'; text: string }
  | { what: 'event'; event: LiveEvent }
  | { what: 'connected' }
  | { what: 'reset'; reason: string }
  /** Said once; nothing happens any more. */
  | { what: 'over'; reason: string };

export const CONNECT_MS = 20_000;
export const PING_MS = 30_000;
export const SILENCE_MS = 40_000;
const PAUSE_MIN_MS = 100;
const PAUSE_MAX_MS = 10_000;
const AFTER_MAX_MS = 300_000;
const ACK_AGAIN_MS = 1_000;
const DOUBT_MS = 5_000;

const isCursor = (text: unknown): text is string => typeof text === 'string' && /^[A-Za-z0-9_-]{1,128}$/.test(text);
const isId = (text: unknown): text is string => typeof text === 'string' && /^[0-9A-HJKMNP-TV-Z]{26}$/i.test(text);
const isEvent = (e: unknown): e is LiveEvent => {
  const { type, at, data } = (e ?? {}) as Partial<LiveEvent>;
  return typeof type === 'string' && typeof at === 'number' && typeof data === 'object' && data !== null;
};

/** The message in a text, or nothing where it is none. */
function parse(text: string): Message | undefined {
  try {
    const m = JSON.parse(text) as Message;
    if (typeof m !== 'object' || m === null || Array.isArray(m)) return undefined;
    if (m.events !== undefined && !(Array.isArray(m.events) && m.events.every(isEvent))) return undefined;
    if (m.mode !== undefined && !['live', 'replay', 'reset'].includes(m.mode)) return undefined;
    return m;
  } catch {
    return undefined;
  }
}

export class LiveMachine {
  /** What the desk calls the connection; empty without one. */
  session = '';
  role: Role | undefined;
  private state: 'waiting' | 'connecting' | 'open' | 'ended' = 'waiting';
  private dueMs: number;
  private heardMs = 0;
  private againMs = 0;
  private doubtMs = 0;
  private failures = 0;
  private setbacks = 0;
  private todo = { connect: false, drop: false, over: false, ack: false, ping: false, connected: false, reset: false };
  private greeted = false;
  private renew = false;
  private anew = false;
  private asked = false;
  private pinged = false;
  private closed = false;
  private closeCode = 0;
  private inbox: string[] = [];
  private now: Message = {};
  private event = 0;
  private reason = '';

  constructor(
    private readonly clock: () => number,
    private readonly random: (below: number) => number,
    public cursor = '',
  ) {
    this.dueMs = clock();
  }

  /* ---- what happens ---- */

  accepted(): void {
    this.renew = false;
    this.heard();
  }

  /** Another answer than 101, where it is known which. */
  refused(status: number, retryAfterMs = 0): void {
    if (status === 401 && !this.renew) {
      this.renew = true;
      this.leaveFor(0);
      this.todo.drop = false;
    } else if (status === 401) this.end('unauthenticated');
    else if (status === 403) this.end('forbidden');
    else if (status === 400 && this.cursor) this.end('invalid');
    else if (Math.floor(status / 100) === 5 || status === 429 || this.greeted) this.leave(retryAfterMs);
    else this.end('protocol');
  }

  unreachable(retryAfterMs = 0): void {
    if (this.state !== 'ended') this.leave(retryAfterMs);
  }

  /** No session, for good. */
  end(reason: string): void {
    this.leaveFor(0);
    this.state = 'ended';
    this.todo.drop = false;
    this.todo.over = true;
    this.reason = reason;
  }

  heard(): void {
    this.heardMs = this.clock();
    this.pinged = false;
    this.doubtMs = 0;
  }

  message(text: string): void {
    if (this.state === 'connecting' || this.state === 'open') this.inbox.push(text);
  }

  closedWith(closeCode: number): void {
    this.closed = this.state === 'connecting' || this.state === 'open';
    this.closeCode = closeCode;
  }

  /** The network is back, or somebody looks: do not wait on. */
  hurry(): void {
    if (this.state === 'waiting') this.dueMs = this.clock();
  }

  /** Something else was not answered: ask now, and give the desk a short time for it. */
  doubt(): void {
    if (this.state !== 'open' || this.doubtMs) return;
    this.doubtMs = this.clock() + DOUBT_MS;
    this.pinged = true;
    this.todo.ping = true;
  }

  /** The cursor is good for nothing here: begin without one, as after a reset. */
  forget(): void {
    this.cursor = '';
    this.anew = true;
  }

  tick(): void {
    const now = this.clock();
    const silence = now - this.heardMs;
    if (this.state === 'waiting' && now >= this.dueMs) {
      this.state = 'connecting';
      this.dueMs = now + CONNECT_MS;
      this.todo.connect = true;
    } else if (this.state === 'connecting' && now >= this.dueMs) this.leave(0);
    else if (this.state === 'open') {
      if (silence >= SILENCE_MS || (this.doubtMs && now >= this.doubtMs)) this.leave(0);
      else if (silence >= PING_MS && !this.pinged) {
        this.pinged = true;
        this.todo.ping = true;
      }
      if (this.againMs && now >= this.againMs) {
        this.againMs = 0;
        this.todo.ack = true;
      }
    }
  }

  due(): number {
    if (this.state === 'ended') return Infinity;
    if (this.state !== 'open') return this.dueMs;
    const due = this.heardMs + (this.pinged ? SILENCE_MS : PING_MS);
    return Math.min(due, this.againMs || Infinity, this.doubtMs || Infinity);
  }

  /* ---- what to do ---- */

  next(): Action {
    for (;;) {
      if (this.take('drop')) return { what: 'drop' };
      if (this.take('over')) return { what: 'over', reason: this.reason };
      if (this.take('connect')) return { what: 'connect', renew: this.renew };
      if (this.take('connected')) return { what: 'connected' };
      if (this.take('reset')) return { what: 'reset', reason: this.reason };
      const events = this.now.events ?? [];
      if (this.event < events.length) {
        const event = events[this.event++]!;
        if (this.event === events.length) this.frameDone();
        return { what: 'event', event };
      }
      if (this.take('ack')) {
        this.asked = true;
        return { what: 'send', text: JSON.stringify({ type: 'ack', cursor: this.cursor }) };
      }
      if (this.take('ping')) return { what: 'send', text: '{"type":"ping"}' };
      if (this.inbox.length) this.takeMessage(this.inbox.shift()!);
      else if (this.closed) {
        this.closed = false;
        this.takeClose();
      } else return { what: 'nothing' };
    }
  }

  private take(flag: keyof typeof this.todo): boolean {
    const was = this.todo[flag];
    this.todo[flag] = false;
    return was;
  }

  /* ---- breaking, and coming back ---- */

  /** Lets go of the connection, and comes back at a random moment within so long. */
  private leaveFor(withinMs: number): void {
    this.state = 'waiting';
    this.dueMs = this.clock() + this.random(Math.min(withinMs, AFTER_MAX_MS) + 1);
    this.todo = { connect: false, drop: true, over: false, ack: false, ping: false, connected: false, reset: false };
    this.closed = this.asked = this.pinged = false;
    this.againMs = this.doubtMs = 0;
    this.session = '';
    this.inbox = [];
    this.now = {};
    this.event = 0;
  }

  /** Exponential, with full jitter (M. Brooker, "Exponential Backoff And Jitter"). */
  private leave(atLeastMs: number): void {
    const pause = Math.min(PAUSE_MIN_MS * 2 ** Math.max(this.failures, this.setbacks), PAUSE_MAX_MS);
    this.failures++;
    this.leaveFor(Math.max(pause, atLeastMs));
  }

  /** For what the desk said: were it to happen at each hello, hellos alone must not make us hurry. */
  private setBack(): void {
    this.leave(0);
    this.setbacks++;
  }

  private takeClose(): void {
    if (this.closeCode === 4002) {
      this.forget();
      this.renew = true;
      this.setBack();
    } else if (this.closeCode === 4001) {
      this.renew = true;
      this.setBack();
    } else if ([1002, 1003, 1007, 1009].includes(this.closeCode)) this.setBack();
    else this.leave(0);
  }

  /* ---- messages ---- */

  private takeMessage(text: string): void {
    const message = parse(text);
    this.now = message ?? {};
    this.event = 0;
    if (!message) return this.setBack();
    if (message.type === 'hello') this.takeHello(message);
    else if (this.state !== 'open') this.setBack();
    else if (message.type === undefined) this.takeFrame(message);
    else if (message.type === 'reset') this.takeReset(message);
    else if (message.type === 'pull') this.todo.ack = true;
    else if (message.type === 'bye') this.leaveFor(message.retry_after_ms ?? 0);
    else if (message.type === 'error' && this.asked) this.againMs = this.clock() + ACK_AGAIN_MS;
    if (message.type !== undefined) this.now = {};
  }

  private takeHello(hello: Message): void {
    const otherRole = hello.role !== undefined && this.role !== undefined && hello.role !== this.role;
    if (this.state !== 'connecting' || !isCursor(hello.cursor) || !isId(hello.session) ||
        (hello.mode === 'replay' && this.cursor && hello.cursor !== this.cursor))
      return this.setBack();
    this.session = hello.session;
    this.anew ||= otherRole;
    this.todo.reset = this.anew || hello.mode === 'reset';
    this.reason = hello.reason ?? (this.anew ? 'the role changed' : '');
    this.role = hello.role;
    this.cursor = hello.cursor;
    this.state = 'open';
    this.failures = 0;
    this.todo.connected = this.greeted = true;
    this.anew = false;
  }

  private takeReset(reset: Message): void {
    if (!isCursor(reset.cursor)) return this.setBack();
    this.todo.reset = true;
    this.reason = reset.reason ?? '';
    this.asked = false;
    this.againMs = 0;
    this.setbacks = 0;
    this.cursor = reset.cursor;
  }

  private takeFrame(frame: Message): void {
    if (frame.from === undefined && frame.to === undefined) return;
    if (frame.from === undefined || !isCursor(frame.to)) this.setBack();
    else if (frame.from === this.cursor) {
      this.setbacks = 0;
      if (frame.to !== this.cursor) {
        this.asked = false;
        this.againMs = 0;
      }
      if (!frame.events?.length) this.frameDone();
    } else if (frame.to === this.cursor) this.now = {};
    else this.setBack();
  }

  /** All of the frame was given out. */
  private frameDone(): void {
    if (this.now.to === undefined) return;
    this.cursor = this.now.to;
    if (this.now.more) this.todo.ack = true;
  }
}
