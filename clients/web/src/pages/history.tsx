/* What was done to a ticket, by whom; and how it was at any time. */
import { useState } from 'preact/hooks';
import { useHome } from '../ui/context';
import { lazy } from '../ui/lazy';
import { usePages } from '../ui/pages';
import { Dialog, Empty, Face, Field, PriorityPill, StatePill, When, Wrong } from '../ui/parts';
import { isFailure } from '../wire/failure';
import { isText, reasonOf, shortTime, t } from '../text/text';
import type { AuditEntry, Comment, Ticket } from '@schema';

const Markdown = lazy(() => import('../ui/markdown').then((m) => m.Markdown));

/** What an op did; one that a newer desk knows is called by its kind. */
export function deed(kind: string): string {
  const key = `op.${kind}`;
  return isText(key) ? t(key) : kind;
}

const ID = /^[0-9A-HJKMNP-TV-Z]{26}$/;
/** Where it was done, which goes without saying, and what another line says. */
const UNSAID = ['ticket', 'attachments'];

/** A value of an op, as a person would say it: without ids that no name is known for. */
export function useSaying(): (value: unknown) => string {
  const home = useHome();
  const one = (name: string, value: unknown): string => {
    if (Array.isArray(value)) return value.map((v) => one(name, v)).filter(Boolean).join(', ');
    if (value === null) return name === 'assignee' ? t('ticket.nobody') : '';
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
    const key = `${name}.${text}`;
    if ((name === 'state' || name === 'priority') && isText(key)) return t(key);
    const ticket = home.tickets.byId.get(text);
    return home.people.byId.get(text)?.name ?? (ticket ? `#${ticket.number}` : home.definitions.nameOf(text) || (ID.test(text) ? '' : text));
  };
  return (value) => {
    const said = Object.entries((value ?? {}) as Record<string, unknown>)
      .filter(([name]) => !UNSAID.includes(name))
      .map(([name, v]) => one(name, v));
    return [...new Set(said)].filter(Boolean).join(', '); /* a definition is called by its id and its name */
  };
}

function Changes({ ticket }: { ticket: Ticket }) {
  const home = useHome();
  const say = useSaying();
  const { items: entries, wrong, more } = usePages<AuditEntry>((after) => home.rpc.call('ticket.history', { ticket: ticket.id, limit: 50, ...(after && { after }) }), ticket.id);
  if (wrong) return <Wrong text={wrong} />;
  if (!entries) return <p>{t('app.loading')}</p>;
  if (entries.length === 0) return <Empty icon="history" title={t('ticket.history_empty')} />;
  return (
    <>
      <ul class="stack">
        {entries.map((entry) => (
          <li key={`${entry.op_id}/${entry.n}`} class="row">
            <Face user={entry.actor} small named />
            <div class="grow">
              <div>
                <strong>{home.people.name(entry.actor)}</strong> {deed(entry.kind)}
              </div>
              <div class="small soft plain-words">
                {say(entry.before) && (
                  <>
                    <del>{say(entry.before)}</del> →{' '}
                  </>
                )}
                {say(entry.after)}
              </div>
            </div>
            <span class="small soft">
              <When at={entry.at} />
            </span>
          </li>
        ))}
      </ul>
      {more}
    </>
  );
}

const local = (at: number): string => new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

function AsOf({ ticket }: { ticket: Ticket }) {
  const home = useHome();
  const [typed, setTyped] = useState(local(Date.now() - 3_600_000));
  const [was, setWas] = useState<{ at: number; ticket: Ticket; comments: readonly Comment[] }>();
  const [wrong, setWrong] = useState<string>();
  const show = async () => {
    const at = new Date(typed).getTime();
    if (!Number.isFinite(at)) return;
    setWrong(undefined);
    try {
      const [got, { items }] = await Promise.all([home.rpc.call('ticket.get', { ticket: ticket.id, at }), home.rpc.call('comment.list', { ticket: ticket.id, at, limit: 200 })]);
      setWas({ at, ticket: got.ticket, comments: items });
    } catch (e) {
      if (!isFailure(e)) throw e;
      setWas(undefined);
      setWrong(reasonOf(e));
    }
  };
  return (
    <form class="stack"
      onSubmit={(e) => {
        e.preventDefault();
        void show();
      }}>
      <Field label={t('ticket.as_of_time')} wrong={wrong}>
        <input type="datetime-local" value={typed} max={local(Date.now())} min={local(ticket.created_at)} onInput={(e) => setTyped(e.currentTarget.value)} />
      </Field>
      <button class="button">{t('ticket.as_of')}</button>
      {was && (
        <div class="card">
          <p class="soft small">{t('ticket.as_of_text', { time: shortTime(was.at) })}</p>
          <h3>{was.ticket.subject}</h3>
          <div class="row wrap">
            <StatePill state={was.ticket.state} label={was.ticket.label} />
            <PriorityPill priority={was.ticket.priority} />
            {was.ticket.assignee ? home.people.name(was.ticket.assignee) : t('ticket.nobody')}
            {was.ticket.tags.map((tag) => (
              <span key={tag} class="tag">
                {tag}
              </span>
            ))}
          </div>
          {was.comments.map((comment) => (
            <div key={comment.id}>
              <strong class="small">{home.people.name(comment.author)}</strong>
              <Markdown source={comment.body} />
            </div>
          ))}
        </div>
      )}
    </form>
  );
}

export function History({ ticket, onClose }: { ticket: Ticket; onClose: () => void }) {
  return (
    <Dialog title={t('ticket.history')} wide onClose={onClose}>
      <details>
        <summary>{t('ticket.as_of')}</summary>
        <AsOf ticket={ticket} />
      </details>
      <Changes ticket={ticket} />
    </Dialog>
  );
}
