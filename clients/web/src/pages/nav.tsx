/* The views, with how many tickets each has now. */
import { useEffect } from 'preact/hooks';
import { useHome } from '../ui/context';
import { Icon, type IconName } from '../ui/icon';
import { Mark } from '../ui/mark';
import { Face } from '../ui/parts';
import { param, place } from '../ui/router';
import { t } from '../text/text';
import { builtIn } from './listing';

function Item({ href, icon, name, current, count }: { href: string; icon: IconName; name: string; current: boolean; count?: string | undefined }) {
  return (
    <a href={href} {...(current && { 'aria-current': 'page' as const })}>
      <Icon name={icon} />
      <span class="clip">{name}</span>
      {count && <span class="count">{count}</span>}
    </a>
  );
}

export function Nav({ onPalette, onKeys }: { onPalette: () => void; onKeys: () => void }) {
  const home = useHome();
  const views = home.definitions.usable('view');
  const at = place.value;
  const current = at.page === 'list' || at.page === 'ticket' ? at.view || (param('q') ? '' : builtIn[0]!.id) : '';
  const ids = views.map(({ view }) => view).join();
  useEffect(() => home.count(ids ? ids.split(',') : []), [ids]);
  const count = (view: string): string | undefined => {
    const tally = home.counts.value.get(view);
    return tally && `${tally.count}${tally.more ? '+' : ''}`;
  };
  return (
    <nav class="nav" aria-label={t('nav.label')}>
      <div class="brand">
        <Mark />
        <span class="clip">{home.projectName.value || t('app.title')}</span>
      </div>
      {home.agent ? (
        <>
          {builtIn.map(({ id, icon, name }) => (
            <Item key={id} href={`/?v=${id}`} icon={icon} name={t(name)} current={current === id} />
          ))}
          {views.length > 0 && <h2 class="nav-title">{t('nav.views')}</h2>}
          {views.map(({ view, name }) => (
            <Item key={view} href={`/?v=${view}`} icon="inbox" name={name} current={current === view} count={count(view)} />
          ))}
        </>
      ) : (
        <Item href="/" icon="inbox" name={t('nav.your_tickets')} current={at.page === 'list'} />
      )}
      <Item href="/mentions" icon="bell" name={t('nav.mentions')} current={at.page === 'mentions'} count={home.named.value ? String(home.named.value) : undefined} />
      <div class="nav-foot">
        {home.admin && <Item href="/admin" icon="users" name={t('nav.admin')} current={at.page === 'admin'} />}
        {home.admin && <Item href="/ops" icon="chart" name={t('nav.operations')} current={at.page === 'operations'} />}
        <button class="nav-button" onClick={onPalette}>
          <Icon name="bolt" />
          {t('nav.palette')}
        </button>
        <button class="nav-button" onClick={onKeys}>
          <Icon name="keyboard" />
          {t('nav.keys')}
        </button>
        <a href="/settings" {...(at.page === 'settings' && { 'aria-current': 'page' as const })}>
          <Face user={home.me.user} small named />
          <span class="clip">{home.people.name(home.me.user) || home.me.name}</span>
        </a>
      </div>
    </nav>
  );
}
