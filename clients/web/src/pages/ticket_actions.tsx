/* What can be done with a ticket beside writing on it. */
import { useState } from 'preact/hooks';
import { History } from './history';
import { useHome } from '../ui/context';
import { Icon } from '../ui/icon';
import { Dialog, Field, Menu } from '../ui/parts';
import { act, undo } from '../state/actions';
import type { Home } from '../state/home';
import type { Thread } from '../state/thread';
import { deskNow } from '../wire/clock';
import { isFailure } from '../wire/failure';
import { reasonOf, t } from '../text/text';
import type { Methods, Ticket } from '@schema';

const HOUR = 3_600_000;

function tomorrowMorning(): number {
  const at = new Date();
  at.setDate(at.getDate() + 1);
  at.setHours(8, 0, 0, 0);
  return at.getTime();
}

export async function snooze(home: Home, ticket: string, until_at?: number): Promise<void> {
  await act(home, 'snooze.set', { ticket, ...(until_at && { until_at }) });
}

export async function runMacro(home: Home, macro: string, ticket: Ticket, seen_comment: string | undefined): Promise<void> {
  const seen = home.cursor;
  const now = await act(home, 'macro.run', { macro, ticket: ticket.id, ...(seen && { seen }), ...(seen_comment && { seen_comment }) }, () =>
    t('ticket.macro_done', { name: home.definitions.name('macro', macro) }),
  );
  if (now) home.tickets.put(now);
}

/** Asks for another ticket by its number. */
function OtherTicket({ title, label, onClose, onPick, children }: {
  title: string;
  label: string;
  onClose: () => void;
  onPick: (other: Ticket) => Promise<boolean>;
  children?: preact.ComponentChildren;
}) {
  const home = useHome();
  const [typed, setTyped] = useState('');
  const [wrong, setWrong] = useState<string>();
  const submit = async () => {
    setWrong(undefined);
    try {
      const { ticket } = await home.rpc.call('ticket.get', { number: Number(typed.replace(/^#/, '')) });
      if (await onPick(ticket)) onClose();
    } catch (e) {
      if (!isFailure(e)) throw e;
      setWrong(reasonOf(e));
    }
  };
  const valid = /^#?[1-9][0-9]*$/.test(typed.trim());
  return (
    <Dialog title={title} onClose={onClose}>
      <form class="stack"
        onSubmit={(e) => {
          e.preventDefault();
          if (valid) void submit();
        }}>
        {children}
        <Field label={label} wrong={wrong}>
          <input autofocus inputMode="numeric" placeholder="#42" value={typed} onInput={(e) => setTyped(e.currentTarget.value)} />
        </Field>
        <div class="row">
          <button class="button main" disabled={!valid}>
            {title}
          </button>
          <button type="button" class="button" onClick={onClose}>
            {t('app.cancel')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

const LINK_KINDS = ['relates', 'parent', 'child', 'blocks', 'blocked_by', 'duplicate_of', 'duplicated_by'] as const;

export function TicketActions({ ticket, thread, onSplit }: { ticket: Ticket; thread: Thread; onSplit: () => void }) {
  const home = useHome();
  const [dialog, setDialog] = useState<'merge' | 'link' | 'history' | undefined>();
  const [kind, setKind] = useState<Methods['link.add']['params']['kind']>('relates');
  if (!home.agent) return null;
  const snoozed = home.snoozes.value.has(ticket.id);
  const macros = home.definitions.usable('macro');
  const close = () => setDialog(undefined);
  return (
    <>
      <Menu label={t('ticket.snooze')} icon="moon">
        {snoozed && <button onClick={() => void act(home, 'snooze.end', { ticket: ticket.id })}>{t('ticket.unsnooze')}</button>}
        <button onClick={() => void snooze(home, ticket.id, deskNow() + HOUR)}>{t('ticket.snooze_hour')}</button>
        <button onClick={() => void snooze(home, ticket.id, tomorrowMorning())}>{t('ticket.snooze_tomorrow')}</button>
        <button onClick={() => void snooze(home, ticket.id, deskNow() + 7 * 24 * HOUR)}>{t('ticket.snooze_week')}</button>
        <button onClick={() => void snooze(home, ticket.id)}>{t('ticket.snooze_reply')}</button>
      </Menu>
      {macros.length > 0 && (
        <Menu label={t('ticket.macro')} icon="bolt">
          {macros.map(({ macro, name }) => (
            <button key={macro} onClick={() => void runMacro(home, macro, ticket, thread.seen.peek() ?? ticket.newest_comment)}>
              {name}
            </button>
          ))}
        </Menu>
      )}
      <Menu label={t('ticket.actions')} icon="more">
        <button onClick={() => setDialog('merge')}>
          <Icon name="merge" />
          {t('ticket.merge')}
        </button>
        <button onClick={onSplit}>
          <Icon name="split" />
          {t('ticket.split')}
        </button>
        <button onClick={() => setDialog('link')}>
          <Icon name="link" />
          {t('ticket.link')}
        </button>
        <button onClick={() => setDialog('history')}>
          <Icon name="history" />
          {t('ticket.history')}
        </button>
        <hr />
        <button onClick={() => void undo(home)}>
          <Icon name="undo" />
          {t('app.undo')}
        </button>
      </Menu>
      {dialog === 'merge' && (
        <OtherTicket title={t('ticket.merge')} label={t('ticket.merge_number')} onClose={close}
          onPick={async (other) => {
            home.tickets.put(other);
            const merged = await act(home, 'ticket.merge', { ticket: ticket.id, into: other.id }, () => t('ticket.merged_done', { number: other.number }));
            if (merged) home.tickets.put(merged);
            return merged !== undefined;
          }} />
      )}
      {dialog === 'link' && (
        <OtherTicket title={t('ticket.link')} label={t('ticket.link_number')} onClose={close}
          onPick={async (other) => (await act(home, 'link.add', { ticket: ticket.id, kind, other: other.id }, () => t('ticket.link_done'))) !== undefined}>
          <label class="field">
            <span>{t('ticket.links')}</span>
            <select value={kind} onChange={(e) => setKind(e.currentTarget.value as typeof kind)}>
              {LINK_KINDS.map((k) => (
                <option key={k} value={k}>
                  {t(`link.${k}`)}
                </option>
              ))}
            </select>
          </label>
        </OtherTicket>
      )}
      {dialog === 'history' && <History ticket={ticket} onClose={close} />}
    </>
  );
}
