/* Where the user was named. */
import { useEffect, useState } from 'preact/hooks';
import { useHome } from '../ui/context';
import { Icon } from '../ui/icon';
import { Empty, Face, When } from '../ui/parts';
import { reasonOf, t } from '../text/text';
import type { Mention, Ticket } from '@schema';

export function Mentions() {
  const home = useHome();
  const [found, setFound] = useState<readonly (Mention & { of: Ticket | undefined })[]>();
  const [next, setNext] = useState<string>();
  const [wrong, setWrong] = useState<string>();
  const more = async (after?: string) => {
    try {
      const page = await home.rpc.call('mention.list', { limit: 50, ...(after && { after }) });
      const tickets = new Map<string, Ticket>();
      await Promise.all(
        [...new Set(page.items.map(({ ticket }) => ticket))].map(async (id) => {
          const known = home.tickets.byId.get(id) ?? (await home.rpc.call('ticket.get', { ticket: id })).ticket;
          tickets.set(id, known);
        }),
      );
      setFound((before) => [...(after ? (before ?? []) : []), ...page.items.map((mention) => ({ ...mention, of: tickets.get(mention.ticket) }))]);
      setNext(page.next);
      setWrong(undefined);
    } catch (e) {
      setWrong(reasonOf(e));
    }
  };
  useEffect(() => {
    home.named.value = 0;
    void more();
  }, [home.mentions.value, home.offline.value]);
  return (
    <div class="page-body">
      <h1>{t('nav.mentions')}</h1>
      {wrong && <p class="notice warn">{wrong}</p>}
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
              {mention.of && (
                <a href={`/t/${mention.of.number}`}>
                  #{mention.of.number} {mention.of.subject}
                </a>
              )}
            </div>
            <span class="small soft">
              <When at={mention.at} />
            </span>
          </li>
        ))}
      </ul>
      {next && (
        <button class="button" onClick={() => void more(next)}>
          {t('app.more')}
        </button>
      )}
    </div>
  );
}
