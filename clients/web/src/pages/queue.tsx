/* What waits to be sent, and what the desk did not take: never lost, never silent. */
import { useState } from 'preact/hooks';
import { useHome } from '../ui/context';
import { Icon } from '../ui/icon';
import { Dialog, When } from '../ui/parts';
import { t } from '../text/text';
import type { Queued } from '../state/cache';

const textOf = ({ params }: Queued): string => {
  const { body, subject, ...rest } = params;
  if (typeof body === 'string') return body;
  if (typeof subject === 'string') return subject;
  return Object.entries(rest)
    .filter(([name]) => !['op_id', 'ticket', 'seen', 'made_at'].includes(name))
    .map(([name, value]) => `${name}: ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(', ');
};

export function QueueNotice() {
  const home = useHome();
  const [open, setOpen] = useState(false);
  const failed = home.failed.value;
  const queued = home.queued.value;
  const waits = queued.length > 0 && home.offline.value;
  const fleeting = [...failed, ...queued].some((q) => q.fleeting);
  if (failed.length === 0 && !waits && !open) return null;
  return (
    <>
      <p class={`notice ${failed.length ? 'danger' : 'warn'}`} role="status">
        <Icon name={failed.length ? 'warning' : 'clock'} />
        {failed.length ? t('app.failed', { n: failed.length }) : t('app.queued', { n: queued.length })}
        {fleeting && ` ${t('app.fleeting')}`}
        <button class="button small" onClick={() => setOpen(true)}>
          {t('app.show')}
        </button>
      </p>
      {open && (
        <Dialog title={failed.length ? t('app.failed', { n: failed.length }) : t('app.queued', { n: queued.length })} onClose={() => setOpen(false)}>
          {[...failed, ...queued].map((q) => {
            const ticket = q.ticket ? home.tickets.byId.at(q.ticket).value : undefined;
            return (
              <div class="card" key={q.op_id}>
                <div class="row small soft">
                  {ticket ? <a href={`/t/${ticket.number}`}>#{ticket.number}</a> : <code>{q.method}</code>}
                  <When at={q.at} />
                </div>
                <p class="plain-words">{textOf(q)}</p>
                {q.failed !== undefined && <p class="notice danger">{q.failed}</p>}
                <div class="row">
                  {q.failed !== undefined && (
                    <button class="button small" onClick={() => void home.outbox.retry(q.op_id)}>
                      {t('app.retry')}
                    </button>
                  )}
                  <button class="button small danger" onClick={() => void home.outbox.discard(q.op_id)}>
                    {t('app.discard')}
                  </button>
                </div>
              </div>
            );
          })}
        </Dialog>
      )}
    </>
  );
}
