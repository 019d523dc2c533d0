/* Where the user was named. */
import { useEffect } from 'preact/hooks';
import { useHome } from '../ui/context';
import { Icon } from '../ui/icon';
import { usePages } from '../ui/pages';
import { Empty, Face, When, Wrong } from '../ui/parts';
import { t } from '../text/text';
import type { Mention } from '@schema';

function TicketLink({ id }: { id: string }) {
  const ticket = useHome().tickets.byId.at(id).value;
  if (!ticket) return null;
  return (
    <a href={`/t/${ticket.number}`}>
      #{ticket.number} {ticket.subject}
    </a>
  );
}

export function Mentions() {
  const home = useHome();
  /* with the tickets that they are on */
  const ask = async (after?: string) => {
    const { items, next } = await home.rpc.call('mention.list', { limit: 50, ...(after && { after }) });
    const fetched = [...new Set(items.map(({ ticket }) => ticket))].filter((id) => !home.tickets.byId.get(id)).map((ticket) => home.rpc.call('ticket.get', { ticket }));
    for (const { ticket } of await Promise.all(fetched)) home.tickets.put(ticket);
    return { items, next };
  };
  const { items: found, wrong, more } = usePages<Mention>(ask, `${home.mentions.value[0]?.comment}/${home.offline.value}`);
  useEffect(() => void (home.named.value = 0), [home.mentions.value]);
  return (
    <div class="page-body">
      <h1>{t('nav.mentions')}</h1>
      <Wrong text={wrong} />
      {found?.length === 0 && <Empty icon="bell" title={t('mentions.none')} text={t('mentions.none_text')} />}
      <ul class="stack">
        {found?.map((mention) => (
          <li key={mention.comment} class="row definition">
            <Face user={mention.by} named />
            <div class="grow">
              <div>
                <strong>{home.people.name(mention.by)}</strong>{' '}
                {mention.note && (
                  <span class="note-mark small">
                    <Icon name="lock" small /> {t('thread.note')}
                  </span>
                )}
              </div>
              <TicketLink id={mention.ticket} />
            </div>
            <span class="small soft">
              <When at={mention.at} />
            </span>
          </li>
        ))}
      </ul>
      {more}
    </div>
  );
}
