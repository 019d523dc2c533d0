/* The page: who the browser is decides what it shows. */
import { effect } from '@preact/signals';
import { lazy } from '../ui/lazy';
import { Confirm } from '../ui/confirm';
import { DeskContext, HomeContext } from '../ui/context';
import { Empty, Toasts } from '../ui/parts';
import { follow, place } from '../ui/router';
import { HomePage } from './home';
import type { Desk } from '../state/desk';
import { t } from '../text/text';

const Bind = lazy(() => import('./bind').then((m) => m.Bind));
const Elsewhere = lazy(() => import('./bind').then((m) => m.Elsewhere));

export function App({ desk }: { desk: Desk }) {
  const phase = desk.phase.value;
  return (
    <DeskContext.Provider value={desk}>
      <div onClick={follow}>
        {phase.is === 'starting' && <p class="visually-hidden" role="status">{t('app.loading')}</p>}
        {phase.is === 'unreachable' && (
          <main class="center">
            <Empty page icon="offline" title={t('app.unreachable')} text={t('app.unreachable_text')}>
              <button class="button" onClick={() => void desk.start()}>
                {t('app.retry')}
              </button>
            </Empty>
          </main>
        )}
        {phase.is === 'stranger' && <Bind why={phase.why} />}
        {phase.is === 'home' && (
          <HomeContext.Provider value={phase.home} key={phase.home.me.user + phase.home.me.role}>
            {place.value.page === 'bind' ? <Elsewhere /> : <HomePage />}
            <Confirm />
            <Toasts />
          </HomeContext.Provider>
        )}
      </div>
    </DeskContext.Provider>
  );
}

/** The tab says how much is unread, and of which desk it is. */
export function nameTab(desk: Desk): void {
  effect(() => {
    const phase = desk.phase.value;
    const name = (phase.is === 'home' ? phase.home.projectName.value : desk.projectName.value) || t('app.title');
    const unread = phase.is === 'home' ? phase.home.unread.value : 0;
    document.title = unread ? `(${unread}) ${name}` : name;
  });
}
