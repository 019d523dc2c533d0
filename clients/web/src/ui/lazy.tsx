/* Parts of the page that are fetched when they are first shown. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../text/text';

/** What could not be fetched from a desk that is there is of a version that it has no more. */
const isThere = (): Promise<boolean> =>
  fetch('/healthz', { signal: AbortSignal.timeout(10_000) }).then(
    ({ ok }) => ok,
    () => false,
  );

/** `fetch`: so that it is there, and shows at once, when it is first wanted. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> & { fetch: () => void } {
  let loaded: ComponentType<P> | undefined;
  const fetchIt = (): void =>
    void load().then(
      (component) => (loaded = component),
      () => undefined,
    );
  const Lazy = (props: P) => {
    const [, render] = useState(0);
    const [failed, setFailed] = useState<'unreachable' | 'newer'>();
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
        async () => {
          const newer = await isThere();
          if (there) setFailed(newer ? 'newer' : 'unreachable');
        },
      );
      return () => void (there = false);
    }, [failed]);
    if (Component) return <Component {...props} />;
    if (!failed) return <p class="visually-hidden">{t('app.loading')}</p>;
    return (
      <div class="empty" role="alert">
        <p>{t(failed === 'newer' ? 'app.newer' : 'app.unreachable')}</p>
        <button class="button" onClick={() => (failed === 'newer' ? location.reload() : setFailed(undefined))}>
          {t(failed === 'newer' ? 'app.reload' : 'app.retry')}
        </button>
      </div>
    );
  };
  return Object.assign(Lazy, { fetch: fetchIt });
}
