/* What was written on a ticket, and what is on its way there. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Attachments } from './attachments';
import { useHome } from '../ui/context';
import { confirmed } from '../ui/confirm';
import { Icon } from '../ui/icon';
import { lazy } from '../ui/lazy';
import { Dialog, Face, Menu, When } from '../ui/parts';
import { act } from '../state/actions';
import type { Queued } from '../state/cache';
import type { Entry } from '../state/fold';
import type { Thread } from '../state/thread';
import { shortTime, t } from '../text/text';
import type { Ticket } from '@schema';

const Markdown = lazy(() => import('../ui/markdown').then((m) => m.Markdown));

/* Newer ones first: what is above is asked for by a button, so that a thread of thousands opens at once. */
const SHOWN = 60;
const UP_PX = 8;

function EntryMenu({ entry, onEdit }: { entry: Entry; onEdit: () => void }) {
  const home = useHome();
  const mine = entry.author === home.me.user;
  if (entry.deleted || entry.redacted || !(mine || home.admin)) return null;
  const noun = entry.note ? 'note' : 'comment';
  const ask = async (question: string, method: 'comment.delete' | 'note.delete' | 'comment.redact') => {
    if (await confirmed(question)) await act(home, method, { comment: entry.id });
  };
  return (
    <Menu label={t('app.more')} icon="more" button="icon-button small">
      {(mine || (home.admin && !entry.note)) && (
        <button onClick={onEdit}>
          <Icon name="pen" />
          {t('thread.edit')}
        </button>
      )}
      <button onClick={() => void ask(t('thread.delete_ask'), `${noun}.delete`)}>
        <Icon name="trash" />
        {t('thread.delete')}
      </button>
      {home.admin && (
        <button onClick={() => void ask(t('thread.redact_ask'), 'comment.redact')}>
          <Icon name="warning" />
          {t('thread.redact')}
        </button>
      )}
    </Menu>
  );
}

function EditDialog({ entry, onClose }: { entry: Entry; onClose: () => void }) {
  const home = useHome();
  const [body, setBody] = useState(entry.body);
  const save = async () => {
    const seen = home.cursor;
    const result = await act(home, entry.note ? 'note.edit' : 'comment.edit', { comment: entry.id, body, ...(seen && { seen }) });
    if (result) onClose();
  };
  return (
    <Dialog title={t('thread.edit')} wide onClose={onClose}
      foot={
        <>
          <button class="button" onClick={onClose}>
            {t('app.cancel')}
          </button>
          <button class="button main" disabled={!body.trim()} onClick={() => void save()}>
            {t('app.save')}
          </button>
        </>
      }>
      <textarea rows={12} maxLength={65536} aria-label={t(entry.note ? 'compose.note_label' : 'compose.reply_label')} value={body} autofocus
        onInput={(e) => setBody(e.currentTarget.value)} />
    </Dialog>
  );
}

function EntryView({ entry, picked, onPick }: { entry: Entry; picked: boolean | undefined; onPick: (on: boolean) => void }) {
  const home = useHome();
  const [editing, setEditing] = useState(false);
  const mine = entry.author === home.me.user;
  const name = home.people.name(entry.author);
  return (
    <article class={`entry${entry.note ? ' note' : ''}${mine ? ' mine' : ''}`} id={`c-${entry.id}`} aria-label={`${entry.note ? t('thread.note') + ', ' : ''}${name}`}>
      {picked === undefined ? (
        <Face user={entry.author} named />
      ) : (
        <input type="checkbox" checked={picked} aria-label={name} onChange={(e) => onPick(e.currentTarget.checked)} />
      )}
      <div class="bubble">
        <div class="entry-head">
          <span class="who clip">{name}</span>
          <When at={entry.created_at} />
          {entry.edited_at && !entry.deleted && <span class="soft small">{t('thread.edited', { time: shortTime(entry.edited_at) })}</span>}
          {entry.note && (
            <span class="note-mark" title={t('thread.note_hint')}>
              <Icon name="lock" small />
              {t('thread.note')}
            </span>
          )}
          <span class="end">
            <EntryMenu entry={entry} onEdit={() => setEditing(true)} />
          </span>
        </div>
        {entry.deleted ? (
          <p class="soft">{t('thread.deleted')}</p>
        ) : entry.redacted ? (
          <p class="soft">{t('thread.redacted')}</p>
        ) : (
          <Markdown source={entry.body} />
        )}
        {entry.conflict && <p class="notice warn small">{t('thread.conflict')}</p>}
        {!entry.deleted && entry.attachments.length > 0 && <Attachments attachments={entry.attachments} />}
      </div>
      {editing && <EditDialog entry={entry} onClose={() => setEditing(false)} />}
    </article>
  );
}

/** What is on its way: it stands in the thread already. */
function Waiting({ queued }: { queued: Queued }) {
  const home = useHome();
  const note = queued.method === 'note.add';
  return (
    <article class={`entry mine waiting${note ? ' note' : ''}`}>
      <Face user={home.me.user} named />
      <div class="bubble">
        <div class="entry-head">
          <span class="who">{home.people.name(home.me.user)}</span>
          <span class="soft">{queued.failed !== undefined ? t('thread.refused', { reason: queued.failed }) : t(home.offline.value ? 'thread.waiting' : 'thread.sending')}</span>
        </div>
        <p class="plain-words">{String(queued.params.body)}</p>
      </div>
    </article>
  );
}

function PresenceLine({ ticket }: { ticket: Ticket }) {
  const home = useHome();
  const viewers = (home.people.viewers.at(ticket.id).value ?? []).filter(({ user }) => user !== home.me.user);
  const line = (['typing', 'drafting', 'viewing'] as const).map((activity) => {
    const names = viewers.filter((v) => v.activity === activity).map(({ user }) => home.people.name(user));
    return names.length ? t(`thread.${activity}`, { n: names.length, names: names.join(t('thread.and')) }) : '';
  });
  const text = line.filter(Boolean).join(' · ');
  return (
    <p class="presence" aria-live="polite">
      {text && <Icon name="eye" small />}
      {text}
    </p>
  );
}

export function ThreadView({ ticket, thread, picking, onPick }: {
  ticket: Ticket;
  thread: Thread;
  picking: ReadonlySet<string> | undefined;
  onPick: (picked: ReadonlySet<string> | undefined) => void;
}) {
  const home = useHome();
  const entries = thread.entries.value;
  const waiting = home.outbox.queue.value.filter((q) => q.ticket === ticket.id && (q.method === 'comment.add' || q.method === 'note.add'));
  const [shown, setShown] = useState(SHOWN);
  const scroll = useRef<HTMLDivElement>(null);
  const end = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const top = useRef(0);
  /* who has scrolled up since is not taken down again: no observer has told of it yet */
  if (scroll.current && scroll.current.scrollTop < top.current - UP_PX) atEnd.current = false;

  /* a new message is scrolled to where the end was in view */
  const follow = () => {
    const element = scroll.current;
    if (!element || !atEnd.current) return;
    element.scrollTop = element.scrollHeight;
    top.current = element.scrollTop;
  };
  useLayoutEffect(follow, [entries.length, waiting.length]);
  useEffect(() => {
    const grown = new ResizeObserver(follow);
    for (const child of scroll.current!.children) grown.observe(child);
    return () => grown.disconnect();
  }, [entries.length, shown]);

  /* read is what was in view of somebody who looks */
  const newest = entries.at(-1);
  useEffect(() => {
    if (!newest) return undefined;
    const read = () => {
      if (document.visibilityState !== 'visible' || !atEnd.current) return;
      thread.seen.value = entries.findLast(({ note }) => !note)?.id;
      if (ticket.unread) home.markRead(ticket.id, newest.id);
    };
    const watch = new IntersectionObserver(([entry]) => {
      atEnd.current = entry!.isIntersecting;
      if (atEnd.current) top.current = scroll.current?.scrollTop ?? 0;
      read();
    }, { root: scroll.current, rootMargin: '0px 0px 48px 0px' });
    watch.observe(end.current!);
    document.addEventListener('visibilitychange', read);
    return () => {
      watch.disconnect();
      document.removeEventListener('visibilitychange', read);
    };
  }, [newest?.id, ticket.unread]);

  const visible = useMemo(() => entries.slice(-shown), [entries, shown]);
  const pick = (id: string, on: boolean) => {
    const next = new Set(picking);
    if (on) next.add(id);
    else next.delete(id);
    onPick(next);
  };
  return (
    <div class="thread" ref={scroll} role="region" tabIndex={0} aria-label={t('thread.label')}>
      {entries.length > shown && (
        <button class="button small" onClick={() => setShown(shown + 200)}>
          {t('app.more')}
        </button>
      )}
      {visible.map((entry) => (
        <EntryView key={entry.id} entry={entry} picked={picking?.has(entry.id)} onPick={(on) => pick(entry.id, on)} />
      ))}
      {waiting.map((queued) => (
        <Waiting key={queued.op_id} queued={queued} />
      ))}
      {picking && <SplitBar ticket={ticket} picked={[...picking]} onDone={() => onPick(undefined)} />}
      <PresenceLine ticket={ticket} />
      <div ref={end} />
    </div>
  );
}

function SplitBar({ ticket, picked, onDone }: { ticket: Ticket; picked: string[]; onDone: () => void }) {
  const home = useHome();
  const [subject, setSubject] = useState(ticket.subject);
  const split = async () => {
    const made = await act(home, 'ticket.split', { ticket: ticket.id, comments: picked, subject }, ({ number }) => t('ticket.split_done', { number }));
    if (made) onDone();
  };
  return (
    <div class="card">
      <p>{t('ticket.split_text')}</p>
      <div class="row wrap">
        <input class="grow" aria-label={t('ticket.subject')} maxLength={200} value={subject} onInput={(e) => setSubject(e.currentTarget.value)} />
        <button class="button main" disabled={!picked.length || !subject.trim()} onClick={() => void split()}>
          {t('ticket.split')}
        </button>
        <button class="button" onClick={onDone}>
          {t('app.cancel')}
        </button>
      </div>
    </div>
  );
}
