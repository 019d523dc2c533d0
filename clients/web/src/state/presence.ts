/* That the user looks at tickets, writes and types there, told to the desk while this page is connected. */
import type { People } from './people';
import { code, ignoreFailure, isFailure } from '../wire/failure';
import type { Rpc } from '../wire/rpc';

const TYPING_MS = 4_000;

interface Look {
  grant: string;
  activity: 'viewing' | 'drafting';
  note: boolean;
}

export class Presence {
  private readonly looks = new Map<string, Look>();
  private session: string | undefined;
  private typed = -Infinity;

  constructor(
    private readonly rpc: Rpc,
    private readonly people: People,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Another connection knows nothing of what the one before showed. */
  connection(session: string | undefined): void {
    this.session = session;
    for (const ticket of this.looks.keys()) void this.tell(ticket);
  }

  /** Who is there, this page is told as it changes. */
  looksAt(ticket: string): boolean {
    return this.looks.has(ticket);
  }

  view(ticket: string, grant: string): void {
    this.looks.set(ticket, { activity: 'viewing', note: false, ...this.looks.get(ticket), grant });
    void this.tell(ticket);
  }

  leave(ticket: string): void {
    if (!this.looks.delete(ticket) || this.session === undefined) return;
    this.rpc.call('presence.leave', { session: this.session, ticket }, { again: 0 }).catch(ignoreFailure);
  }

  /** There is, or is no more, a text that was not sent. */
  async drafting(ticket: string, drafting: boolean, note: boolean): Promise<void> {
    const look = this.looks.get(ticket);
    const activity = drafting ? 'drafting' : 'viewing';
    if (!look || (look.activity === activity && look.note === note)) return;
    this.looks.set(ticket, { ...look, activity, note });
    await this.tell(ticket);
  }

  /** Behind what says that there is a draft, which would end it. */
  async typing(ticket: string, note: boolean): Promise<void> {
    if (this.session === undefined || !this.looks.has(ticket) || this.now() - this.typed < TYPING_MS) return;
    this.typed = this.now();
    await this.drafting(ticket, true, note);
    await this.rpc.call('typing.relay', { session: this.session, ticket, note }, { again: 0 }).catch(ignoreFailure);
  }

  /** The user's own short text, as long as they are connected. */
  async status(text: string): Promise<void> {
    if (this.session !== undefined) await this.rpc.call('presence.status', { session: this.session, text }).catch(ignoreFailure);
  }

  private async tell(ticket: string, again = true): Promise<void> {
    const look = this.looks.get(ticket);
    if (this.session === undefined || !look) return;
    try {
      const { people } = await this.rpc.call('presence.view', { session: this.session, ticket, ...look }, { again: 0 });
      if (!this.people.viewers.get(ticket)) this.people.viewers.set(ticket, people);
    } catch (e) {
      if (!isFailure(e)) throw e;
      if (e.code === code.expired && again) await this.renew(ticket).catch(ignoreFailure);
    }
  }

  private async renew(ticket: string): Promise<void> {
    const { grant } = await this.rpc.call('ticket.get', { ticket });
    const look = this.looks.get(ticket);
    if (!look) return; /* the user has gone on */
    this.looks.set(ticket, { ...look, grant });
    await this.tell(ticket, false);
  }
}
