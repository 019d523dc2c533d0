/* One ticket: what was written, what it is about, and the next reply. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { Composer } from './composer';
import { Side } from './side';
import { ThreadView } from './thread';
import { TicketActions } from './ticket_actions';
import { useHome } from '../ui/context';
import { Icon } from '../ui/icon';
import { useKeys } from '../ui/keys';
import { Dialog, Empty, IconButton, PriorityPill, StatePill } from '../ui/parts';
import { beside, go } from '../ui/router';
import { code, isFailure, type Failure } from '../wire/failure';
import { setTicket } from '../state/actions';
import type { Thread } from '../state/thread';
import { day, exact, reasonOf, t, type Text } from '../text/text';
import { Priority, TicketState, type Ticket } from '@schema';

/** The ticket of a number, as it is here, and as the desk has it as soon as it answers. */
function useTicket(number: number): { ticket: Ticket | undefined; failure: Failure | undefined } {
  const home = useHome();
  const [id, setId] = useState(home.tickets.byNumber(number)?.id);
  const [failure, setFailure] = useState<Failure>();
  const session = home.offline.value;
  useEffect(() => {
    let there = true;
    const fetch = async () => {
      const seen = await home.tickets.seen(number);
      if (there && seen) setId(seen.id);
      try {
        const { ticket, grant } = await home.tickets.fetch(number);
        if (!there) return;
        setId(ticket.id);
        setFailure(undefined);
        home.presence.view(ticket.id, grant);
      } catch (e) {
        if (!isFailure(e)) throw e;
        if (there) setFailure(e);
      }
    };
    void fetch();
    return () => void (there = false);
  }, [number, session]);
  useEffect(() => {
    if (id) return () => home.presence.leave(id);
    return undefined;
  }, [id]);
  return { ticket: id ? home.tickets.byId.at(id).value : undefined, failure };
}

function useThread(ticket: string | undefined): Thread | undefined {
  const home = useHome();
  const [thread, setThread] = useState<Thread>();
  useEffect(() => {
    if (!ticket) return undefined;
    setThread(home.openThread(ticket));
    return () => home.closeThread(ticket);
  }, [ticket]);
  return thread;
}

function StateSelect({ ticket }: { ticket: Ticket }) {
  const home = useHome();
  const labels = home.definitions.usable('label');
  const change = (value: string) => {
    const label = labels.find((l) => l.label === value);
    const state = label?.state ?? (value as TicketState);
    void setTicket(home, ticket, { state, ...(label && { label: label.label }) }, label?.name ?? t(`state.${state}`));
  };
  return (
    <select aria-label={t('ticket.state')} value={ticket.label ?? ticket.state} onChange={(e) => change(e.currentTarget.value)}>
      {TicketState.map((state) => (
        <>
          <option key={state} value={state}>
            {t(`state.${state}`)}
          </option>
          {labels
            .filter((label) => label.state === state)
            .map(({ label, name }) => (
              <option key={label} value={label}>
                {'  ' + name}
              </option>
            ))}
        </>
      ))}
    </select>
  );
}

export function AssigneeSelect({ ticket }: { ticket: Ticket }) {
  const home = useHome();
  const staff = home.people.all.value.filter(({ role, active }) => role !== 'customer' && active);
  return (
    <select aria-label={t('ticket.assignee')} value={ticket.assignee ?? ''}
      onChange={(e) => {
        const assignee = e.currentTarget.value || null;
        void setTicket(home, ticket, { assignee }, assignee ? home.people.name(assignee) : t('ticket.nobody'));
      }}>
      <option value="">{t('ticket.nobody')}</option>
      {staff.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  );
}

function PrioritySelect({ ticket }: { ticket: Ticket }) {
  const home = useHome();
  return (
    <select aria-label={t('ticket.priority')} value={ticket.priority}
      onChange={(e) => {
        const priority = e.currentTarget.value as Ticket['priority'];
        void setTicket(home, ticket, { priority }, t(`priority.${priority}`));
      }}>
      {Priority.map((priority) => (
        <option key={priority} value={priority}>
          {t(`priority.${priority}`)}
        </option>
      ))}
    </select>
  );
}

/** What two may have changed at once. */
const CONFLICTS: Partial<Record<string, Text>> = { assignee: 'ticket.assignee', state: 'ticket.state', priority: 'ticket.priority', type: 'ticket.type', team: 'ticket.team' };

function Subject({ ticket }: { ticket: Ticket }) {
  const home = useHome();
  const [editing, setEditing] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const pen = useRef<HTMLSpanElement>(null);
  useEffect(() => input.current?.select(), [editing]);
  const close = () => {
    setEditing(false);
    requestAnimationFrame(() => document.activeElement === document.body && pen.current?.querySelector('button')?.focus());
  };
  if (!editing)
    return (
      <div class="row grow subject-line">
        <h1 class="grow" title={ticket.subject}>
          <span class="soft">#{ticket.number}</span> <bdi>{ticket.subject || t('ticket.redacted_subject')}</bdi>
        </h1>
        {home.agent && (
          <span ref={pen}>
            <IconButton icon="pen" small label={t('ticket.edit_subject')} onClick={() => setEditing(true)} />
          </span>
        )}
      </div>
    );
  const save = () => {
    const subject = input.current?.value.trim();
    close();
    if (subject && subject !== ticket.subject) void setTicket(home, ticket, { subject }, t('ticket.subject'));
  };
  return (
    <form class="row grow subject-line"
      onSubmit={(e) => {
        e.preventDefault();
        save();
      }}>
      <input ref={input} class="grow" aria-label={t('ticket.subject')} defaultValue={ticket.subject} maxLength={200} onBlur={save}
        onKeyDown={(e) => {
          if (e.key !== 'Escape') return;
          e.preventDefault();
          e.currentTarget.value = ticket.subject;
          close();
        }} />
    </form>
  );
}

export function TicketPage({ number }: { number: number }) {
  const home = useHome();
  const { ticket, failure } = useTicket(number);
  const thread = useThread(ticket?.id);
  const [side, setSide] = useState(false);
  const [picking, setPicking] = useState<ReadonlySet<string> | undefined>();
  useKeys({ Escape: () => go(beside('/')) });

  if (failure && (!ticket || failure.code === code.notFound))
    return failure.code === code.notFound ? (
      <Empty page icon="help" title={t('app.not_found')} text={t('app.not_found_text')}>
        <a class="button" href={beside('/')}>
          {t('app.back')}
        </a>
      </Empty>
    ) : (
      <Empty page icon="offline" title={t('app.unreachable')} text={reasonOf(failure)} />
    );
  if (!ticket || !thread) return <p class="empty" role="status">{t('ticket.loading')}</p>;

  const into = ticket.merged_into && home.tickets.byId.at(ticket.merged_into).value;
  return (
    <article class={`ticket${home.agent ? '' : ' narrow'}`}>
      <header class="ticket-head">
        <div class="row">
          <span class="only-narrow">
            <a class="icon-button" href={beside('/')} aria-label={t('app.back')}>
              <Icon name="back" />
            </a>
          </span>
          <Subject ticket={ticket} />
          {home.agent && (
            <span class="side-button only-narrow">
              <IconButton icon="text" label={t('ticket.details')} onClick={() => setSide(true)} />
            </span>
          )}
          <TicketActions ticket={ticket} thread={thread} onSplit={() => setPicking(new Set())} />
        </div>
        <div class="row wrap">
          {home.agent ? (
            <>
              <StateSelect ticket={ticket} />
              <PrioritySelect ticket={ticket} />
              <AssigneeSelect ticket={ticket} />
              {ticket.assignee !== home.me.user && (
                <button class="button small plain" onClick={() => void setTicket(home, ticket, { assignee: home.me.user }, home.people.name(home.me.user))}>
                  {t('ticket.assign_me')}
                </button>
              )}
            </>
          ) : (
            <>
              <StatePill state={ticket.state} label={ticket.label} />
              <PriorityPill priority={ticket.priority} />
              {ticket.state !== 'solved' && ticket.state !== 'closed' && (
                <button class="button small" onClick={() => void setTicket(home, ticket, { state: 'solved' }, t('state.solved'))}>
                  <Icon name="check" small />
                  {t('ticket.solve')}
                </button>
              )}
            </>
          )}
          <span class="small soft" title={exact(ticket.created_at)}>
            {t('ticket.created', { time: day(ticket.created_at) })}
          </span>
        </div>
        {ticket.conflicts.length > 0 && <p class="notice warn">{t('ticket.conflict', { fields: ticket.conflicts.map((name) => t(CONFLICTS[name] ?? 'ticket.fields')).join(', ') })}</p>}
        {ticket.merged_into && (
          <p class="notice">
            {t('ticket.merged')}
            {into && <a href={`/t/${into.number}`}>{t('ticket.open_merged')}</a>}
          </p>
        )}
      </header>
      <ThreadView ticket={ticket} thread={thread} picking={picking} onPick={setPicking} />
      <Composer ticket={ticket} thread={thread} />
      {home.agent && (
        <aside class="side" aria-label={t('ticket.details')}>
          <Side ticket={ticket} />
        </aside>
      )}
      {side && (
        <Dialog title={t('ticket.details')} onClose={() => setSide(false)}>
          <Side ticket={ticket} />
        </Dialog>
      )}
    </article>
  );
}
