/* The desk of somebody who is known: views, list and ticket beside each other; on a phone, one after the other. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { lazy } from '../ui/lazy';
import { useDesk, useHome } from '../ui/context';
import { Icon } from '../ui/icon';
import { useKeys } from '../ui/keys';
import { Dialog, Empty, IconButton } from '../ui/parts';
import { beside, go, place } from '../ui/router';
import { ListPane } from './list';
import { Nav } from './nav';
import { QueueNotice } from './queue';
import { toast } from '../state/toasts';
import { t, type Text } from '../text/text';

const TicketPage = lazy(() => import('./ticket').then((m) => m.TicketPage));
const NewTicket = lazy(() => import('./new').then((m) => m.NewTicket));
const Settings = lazy(() => import('./settings').then((m) => m.Settings));
const Mentions = lazy(() => import('./mentions').then((m) => m.Mentions));
const Admin = lazy(() => import('./admin/admin').then((m) => m.Admin));
const Operations = lazy(() => import('./operations/operations').then((m) => m.Operations));
const Palette = lazy(() => import('./palette').then((m) => m.Palette));
/* so that no letter is lost that is typed right behind Ctrl-K */
const PALETTE_MS = 3_000;

const KEYS: [string, Text][] = [
  ['j k', 'keys.move'],
  ['Enter', 'keys.open'],
  ['/', 'keys.search'],
  ['r', 'keys.reply'],
  ['i', 'keys.note'],
  ['x', 'keys.select'],
  ['n', 'keys.new'],
  ['Ctrl K', 'keys.palette'],
  ['Ctrl Enter', 'keys.send'],
  ['u', 'keys.back'],
  ['?', 'keys.help'],
];

/* What had the focus may be gone with the page before: then the new one has it, so that Tab goes on from there. */
function regain(): void {
  const has = document.activeElement;
  if (has instanceof HTMLElement && has !== document.body && has.checkVisibility()) return;
  const row = document.querySelector<HTMLElement>('.list-row a[tabindex="0"]');
  (row?.checkVisibility() && place.peek().page === 'list' ? row : document.getElementById('content'))?.focus();
}

export function HomePage() {
  const home = useHome();
  const { embedded } = useDesk();
  const [dialog, setDialog] = useState<'keys' | 'palette' | 'nav' | undefined>();
  const at = place.value;
  const listed = at.page === 'list' || at.page === 'ticket' || at.page === 'new';
  useKeys({
    '?': () => setDialog('keys'),
    'Ctrl+k': () => setDialog('palette'),
    n: () => go(beside('/new')),
    u: () => go(beside('/')),
  });
  const named = home.mentions.value[0];
  useEffect(() => {
    if (named) toast(t('mentions.toast', { name: home.people.name(named.by) }), 'done', { name: t('app.show'), run: () => go('/mentions') });
  }, [named?.comment]);
  const spot = at.page === 'ticket' ? `ticket ${at.number}` : at.page === 'admin' ? `admin ${at.section}` : at.page;
  const was = useRef(spot);
  useEffect(() => {
    if (was.current === spot) return;
    was.current = spot;
    regain();
  }, [spot]);
  useEffect(() => {
    const timer = setTimeout(Palette.fetch, PALETTE_MS);
    return () => clearTimeout(timer);
  }, []);
  const nav = !embedded && (home.agent || !listed);
  return (
    <div class={`desk ${home.agent ? '' : 'customer'} ${listed ? '' : 'page'} ${at.page === 'list' ? 'at-list' : 'at-main'}`}>
      <a class="skip" href="#content">
        {t('app.skip')}
      </a>
      <div class="banner">
        {home.offline.value && (
          <p class="notice warn" role="status">
            <Icon name="offline" />
            {t('app.offline')}
          </p>
        )}
        <QueueNotice />
      </div>
      {nav && <Nav onPalette={() => setDialog('palette')} onKeys={() => setDialog('keys')} />}
      <main class="both">
        {listed && <ListPane onMenu={() => setDialog('nav')} />}
        <div class="main" id="content" tabIndex={listed ? -1 : 0}>
          {!listed && !embedded && (
            <div class="page-head">
              <IconButton icon="menu" label={t('app.menu')} onClick={() => setDialog('nav')} />
              {home.projectName.value}
            </div>
          )}
          {at.page === 'ticket' && <TicketPage key={at.number} number={at.number} />}
          {at.page === 'new' && <NewTicket />}
          {at.page === 'settings' && <Settings />}
          {at.page === 'mentions' && <Mentions />}
          {at.page === 'admin' && home.admin && <Admin section={at.section} />}
          {at.page === 'operations' && home.admin && <Operations />}
          {at.page === 'list' && <Empty icon="inbox" title={t('ticket.pick')} text={t(home.agent ? 'ticket.pick_text' : 'ticket.pick_customer')} />}
          {(at.page === 'nowhere' || ((at.page === 'admin' || at.page === 'operations') && !home.admin)) && (
            <Empty page icon="help" title={t('app.not_found')} text={t('app.not_found_text')}>
              <a class="button" href="/">
                {t('app.back')}
              </a>
            </Empty>
          )}
        </div>
      </main>
      {dialog === 'nav' && (
        <Dialog title={t('app.menu')} className="nav-dialog" onClose={() => setDialog(undefined)}>
          <div onClick={(e) => (e.target as Element).closest('a') && setDialog(undefined)}>
            <Nav onPalette={() => setDialog('palette')} onKeys={() => setDialog('keys')} />
          </div>
        </Dialog>
      )}
      {dialog === 'palette' && <Palette onClose={() => setDialog(undefined)} />}
      {dialog === 'keys' && (
        <Dialog title={t('keys.title')} onClose={() => setDialog(undefined)}>
          <table>
            <tbody>
              {KEYS.map(([keys, text]) => (
                <tr key={keys}>
                  <td>
                    {keys.split(' ').map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </td>
                  <td>{t(text)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Dialog>
      )}
    </div>
  );
}
