/* The WebSocket that the machine drives. */
import { LiveMachine, type LiveEvent } from './machine';
import type { Session } from './session';
import { isFailure, code } from './failure';

export interface LiveListener {
  /** session: what the desk calls the connection; undefined without one. */
  connection(session: string | undefined): void;
  event(event: LiveEvent): void;
  /** What was seen can't be gone on from: fetch anew, keep drafts and what is to be sent. */
  reset(reason: string): void;
  over(reason: string): void;
}

/* A browser does not tell why a WebSocket was refused: so often, with a desk that answers calls, and it is the cursor. */
const REFUSALS_MAX = 3;

export class Live {
  readonly machine: LiveMachine;
  private socket: WebSocket | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private refusals = 0;
  private stopped = false;
  private attempt = 0;

  constructor(
    private readonly session: Session,
    private readonly listener: LiveListener,
    private readonly reachable: () => Promise<unknown>,
    cursor = '',
  ) {
    this.machine = new LiveMachine(() => performance.now(), (below) => Math.floor(Math.random() * below), cursor);
    addEventListener('online', this.hurry);
    addEventListener('offline', this.doubt);
    document.addEventListener('visibilitychange', this.hurry);
    this.step();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    removeEventListener('online', this.hurry);
    removeEventListener('offline', this.doubt);
    document.removeEventListener('visibilitychange', this.hurry);
    this.drop();
  }

  private readonly hurry = (): void => {
    if (document.visibilityState === 'visible') this.machine.hurry();
    this.step();
  };

  /** A call is not answered: is it the desk, or the network? */
  readonly doubt = (): void => {
    this.machine.doubt();
    this.step();
  };

  private step(): void {
    if (this.stopped) return;
    this.machine.tick();
    for (;;) {
      const action = this.machine.next();
      if (action.what === 'nothing') break;
      if (action.what === 'connect') void this.connect(action.renew);
      else if (action.what === 'drop') this.drop();
      else if (action.what === 'send') this.socket?.send(action.text);
      else if (action.what === 'event') this.listener.event(action.event);
      else if (action.what === 'connected') this.listener.connection(this.machine.session);
      else if (action.what === 'reset') this.listener.reset(action.reason);
      else this.listener.over(action.reason);
    }
    clearTimeout(this.timer);
    const wait = this.machine.due() - performance.now();
    if (wait < Infinity) this.timer = setTimeout(() => this.step(), Math.max(0, wait));
  }

  private drop(): void {
    const { socket } = this;
    this.socket = undefined;
    this.attempt++;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    this.listener.connection(undefined);
  }

  private async connect(renew: boolean): Promise<void> {
    const attempt = ++this.attempt;
    try {
      const { token, user } = await this.session.open(renew ? this.session.info?.token : undefined);
      if (attempt !== this.attempt || this.stopped) return;
      if (!user) this.machine.end('unauthenticated');
      else this.dial(token);
    } catch (e) {
      if (attempt !== this.attempt) return;
      if (isFailure(e, code.unauthenticated)) this.machine.end('unauthenticated');
      else this.machine.unreachable(isFailure(e) ? e.data.retry_after_ms : 0);
    }
    this.step();
  }

  private dial(token: string): void {
    const { cursor } = this.machine;
    const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws${cursor ? `?cursor=${cursor}` : ''}`;
    const socket = new WebSocket(url, ['assist.1', `assist.token.${token}`]);
    let open = false;
    this.socket = socket;
    socket.onopen = () => {
      open = true;
      this.refusals = 0;
      this.machine.accepted();
      this.step();
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      this.machine.heard();
      this.machine.message(typeof data === 'string' ? data : '');
      this.step();
    };
    socket.onclose = ({ code: closeCode }) => {
      if (this.socket !== socket) return;
      if (open) {
        this.machine.closedWith(closeCode);
        this.step();
      } else void this.refused();
    };
  }

  private async refused(): Promise<void> {
    /* a call renews a session that is over; one that fails says that it is the network */
    const answers = await this.reachable().then(() => true, () => false);
    if (answers && ++this.refusals >= REFUSALS_MAX && this.machine.cursor) this.machine.forget();
    this.machine.unreachable();
    this.step();
  }
}
