/* Parts of the page that are fetched when they are first shown. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../text/text';

export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const [, render] = useState(0);
    const [failed, setFailed] = useState(false);
    const Component = loaded;
    useEffect(() => {
      if (Component || failed) return;
      let there = true;
      /* it may have come for somebody else since this was rendered */
      (loaded ? Promise.resolve(loaded) : load()).then(
        (component) => {
          loaded = component;
          if (there) render((n) => n + 1);
        },
        () => there && setFailed(true),
      );
      return () => void (there = false);
    }, [failed]);
    if (Component) return <Component {...props} />;
    if (!failed) return <p class="visually-hidden">{t('app.loading')}</p>;
    return (
      <div class="empty" role="alert">
        <p>{t('app.unreachable')}</p>
        <button class="button" onClick={() => setFailed(false)}>
          {t('app.retry')}
        </button>
      </div>
    );
  };
}
