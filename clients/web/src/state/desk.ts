/* Who this browser is to the desk: a stranger who may bind it, or somebody who is at home here. */
import { signal } from '@preact/signals';
import { Home, type Me } from './home';
import { awaited, device, type Device } from './settings';
import { aheadMs } from '../wire/clock';
import { code, isFailure, type Failure } from '../wire/failure';
import { Rpc } from '../wire/rpc';
import { Session } from '../wire/session';
import { ulid } from '../wire/bytes';

export type Phase =
  | { is: 'starting' }
  | { is: 'stranger'; why?: 'revoked' | 'another desk' }
  /** Nothing is known yet, and the desk does not answer. */
  | { is: 'unreachable'; failure: Failure }
  | { is: 'home'; home: Home };

const AGAIN_MIN_MS = 1_000;
const AGAIN_MAX_MS = 15_000;
const PATIENCE_MS = 8_000;

export class Desk {
  readonly phase = signal<Phase>({ is: 'starting' });
  readonly projectName = signal('');
  readonly session: Session;
  readonly rpc: Rpc;
  /** The secret that this page goes by: another one in the storage is another tab's doing. */
  private secret: string | undefined;
  private pause = AGAIN_MIN_MS;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /* one code, one command: where no answer came, asking again gets what was lost */
  private redeeming: { code: string; op_id: string } | undefined;

  constructor(
    private readonly fetcher: typeof fetch,
    readonly embedded: boolean,
    /** The desk's address, as it was dialled. */
    server?: string,
  ) {
    this.session = new Session({ fetch: fetcher, now: Date.now, key: () => device.peek(), server, embed: embedded });
    this.rpc = new Rpc(this.session, fetcher);
    this.secret = device.peek()?.secret;
    device.subscribe((now) => {
      if (now?.secret !== this.secret) void this.follow();
    });
  }

  async start(): Promise<void> {
    clearTimeout(this.timer);
    const known = device.peek();
    if (known) {
      await this.enter({ user: known.user, name: known.name, role: this.embedded ? 'customer' : known.role });
      void this.confirm(known);
    } else await this.greet();
  }

  /* Somebody looks at a button that was pressed: no answer is one, too, and sooner than a network gives up. */
  private async waitedFor<T>(call: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.rpc.pause(), PATIENCE_MS);
    try {
      return await call;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ask for a code by mail. */
  async askForCode(email: string, label: string): Promise<void> {
    const { expires_at } = await this.waitedFor(this.rpc.call('enroll.start', { email, label, embed: this.embedded, op_id: ulid() }, { again: 0 }));
    awaited.value = { email, label, until: expires_at - aheadMs.peek() };
  }

  /** The code makes this browser a device of the user's. */
  async bind(typed: string): Promise<void> {
    if (this.redeeming?.code !== typed) this.redeeming = { code: typed, op_id: ulid() };
    const { secret, user } = await this.waitedFor(this.rpc.call('enroll.redeem', this.redeeming, { again: 0 }));
    this.redeeming = undefined;
    const project = this.session.project!;
    /* kept before anything else: the desk tells it until the first session alone */
    this.secret = secret;
    device.value = { secret, project, user, name: '', role: 'customer' };
    awaited.value = undefined;
    this.session.drop();
    const { name = '', role = 'customer' } = await this.session.open();
    device.value = { secret, project, user, name, role };
    await this.enter({ user, name, role });
  }

  /** This browser is no device of anybody's any more. */
  async forget(why?: 'revoked' | 'another desk'): Promise<void> {
    const { value: phase } = this.phase;
    if (phase.is === 'home') {
      phase.home.close();
      await phase.home.cache.clear();
    }
    this.secret = undefined;
    device.value = undefined;
    this.session.drop();
    this.phase.value = why ? { is: 'stranger', why } : { is: 'stranger' };
    await this.greet(why);
  }

  /* In another tab the user has bound this browser, or has let the desk forget it. */
  private async follow(): Promise<void> {
    const { value: phase } = this.phase;
    this.secret = device.peek()?.secret;
    this.session.drop();
    if (phase.is === 'home') {
      phase.home.close();
      /* the other tab has cleared this already; this one may have written since */
      if (this.secret === undefined) await phase.home.cache.clear();
    }
    await this.start();
  }

  private async greet(why?: 'revoked' | 'another desk'): Promise<void> {
    try {
      this.projectName.value = (await this.rpc.call('project.info', {})).name;
      this.phase.value = why ? { is: 'stranger', why } : { is: 'stranger' };
      this.pause = AGAIN_MIN_MS;
    } catch (e) {
      if (!isFailure(e)) throw e;
      this.phase.value = { is: 'unreachable', failure: e };
      this.later(() => this.start());
    }
  }

  /* What the desk did not answer is tried again by itself. */
  private later(again: () => Promise<void>): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void again(), this.pause);
    this.pause = Math.min(AGAIN_MAX_MS, this.pause * 2);
  }

  private async enter(me: Me): Promise<void> {
    const home = await Home.open(me, this.rpc, this.session, this.fetcher, (reason) => void this.over(reason));
    this.phase.value = { is: 'home', home };
  }

  /* What is shown of before may be of another role, or of a device that is bound no more. */
  private async confirm(known: Device, anyway = false): Promise<void> {
    try {
      const { role, name = '' } = await this.session.open();
      if (this.secret !== known.secret) return; /* another tab was faster */
      this.pause = AGAIN_MIN_MS;
      if (!role) return await this.forget('revoked');
      device.value = { ...known, name, role: this.embedded ? known.role : role };
      const { value: phase } = this.phase;
      if (phase.is === 'home' && (anyway || phase.home.me.role !== role)) await this.again({ user: known.user, name, role });
    } catch (e) {
      if (this.secret !== known.secret) return;
      if (isFailure(e, code.unauthenticated)) await this.forget(this.whyNot());
      else if (!isFailure(e)) throw e;
      else if (e.passing) this.later(() => this.confirm(known, anyway));
    }
  }

  /* What was seen in another role is forgotten; what was written, and waits to be sent, is not. */
  private async again(me: Me): Promise<void> {
    const { value: phase } = this.phase;
    if (phase.is === 'home') {
      phase.home.close();
      await phase.home.cache.forgetSeen();
    }
    await this.enter(me);
  }

  /** Why a device that was somebody's is nobody's here. */
  private whyNot(): 'revoked' | 'another desk' {
    const { project } = this.session;
    return project !== undefined && project !== device.peek()?.project ? 'another desk' : 'revoked';
  }

  private async over(reason: string): Promise<void> {
    if (!device.peek()) return; /* it is known already */
    if (reason === 'unauthenticated') return this.forget(this.whyNot());
    this.session.drop();
    const known = device.peek();
    if (known) await this.confirm(known, true);
  }
}
