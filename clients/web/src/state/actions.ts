/* What a user does to tickets: shown at once, sent as soon as may be, taken back where the desk refuses. */
import { ulid } from '../wire/bytes';
import { deskNow } from '../wire/clock';
import { toast } from './toasts';
import type { Home } from './home';
import { reasonOf, t } from '../text/text';
import type { Methods, Ticket } from '@schema';

type Change = Omit<Methods['ticket.set']['params'], 'ticket' | 'op_id' | 'seen' | 'made_at'>;

function changedBy(ticket: Ticket, change: Change): Ticket {
  const { add_tags, remove_tags, add_watchers, remove_watchers, fields, assignee, type, team, label, wake_at, ...plain } = change;
  const next: Ticket = { ...ticket, ...plain };
  if (assignee !== undefined) next.assignee = assignee ?? undefined;
  if (type !== undefined) next.type = type ?? undefined;
  if (team !== undefined) next.team = team ?? undefined;
  if (change.state !== undefined) {
    next.label = label ?? undefined;
    next.wake_at = wake_at ?? undefined;
  }
  if (add_tags || remove_tags) next.tags = [...new Set([...ticket.tags, ...(add_tags ?? [])])].filter((tag) => !remove_tags?.includes(tag)).sort();
  if (add_watchers || remove_watchers)
    next.watchers = [...new Set([...ticket.watchers, ...(add_watchers ?? [])])].filter((user) => !remove_watchers?.includes(user));
  for (const { field, value } of fields ?? []) {
    next.fields = next.fields.filter((f) => f.field !== field);
    if (value !== null && value !== undefined) next.fields = [...next.fields, { field, value }];
  }
  return next;
}

async function asTheDeskHasIt(home: Home, { number }: Ticket): Promise<void> {
  await home.tickets.fetch(number).catch(() => undefined);
}

/** Changes a ticket. `what`: in words, for the message with its undo. */
export async function setTicket(home: Home, ticket: Ticket, change: Change, what?: string): Promise<void> {
  const op_id = ulid();
  const seen = home.cursor;
  home.tickets.put(changedBy(ticket, change));
  try {
    const { op_id: _, ...now } = await home.outbox.send('ticket.set', { ticket: ticket.id, ...change, ...(seen && { seen }), made_at: deskNow() }, ticket.id, op_id);
    home.tickets.put(now);
    if (what) toast(t('ticket.changed_now', { what }), 'done', home.agent ? undoOf(home, op_id) : undefined);
  } catch (e) {
    toast(t('ticket.failed', { reason: reasonOf(e) }), 'failed');
    await asTheDeskHasIt(home, ticket);
  }
}

/** The way back from a command. */
export const undoOf = (home: Home, command?: string) => ({ name: t('app.undo'), run: () => void undo(home, command) });

export async function undo(home: Home, command?: string): Promise<void> {
  try {
    await home.rpc.call('command.undo', { ...(command && { command }), op_id: ulid() });
    toast(t('app.undone'));
  } catch (e) {
    toast(t('ticket.failed', { reason: reasonOf(e) }), 'failed');
  }
}

/** Calls what needs the desk now, and says how it went. */
export async function act<M extends keyof Methods>(
  home: Home,
  method: M,
  params: Omit<Methods[M]['params'], 'op_id'>,
  done?: (result: Methods[M]['result']) => string,
): Promise<Methods[M]['result'] | undefined> {
  const op_id = ulid();
  try {
    const result = await home.rpc.call(method, { ...params, op_id } as Methods[M]['params']);
    if (done) toast(done(result), 'done', home.agent ? undoOf(home, op_id) : undefined);
    return result;
  } catch (e) {
    toast(t('ticket.failed', { reason: reasonOf(e) }), 'failed');
    return undefined;
  }
}
