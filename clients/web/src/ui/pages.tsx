/* What comes in pages, the next one when somebody asks for it. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useHome } from './context';
import { reasonOf, t } from '../text/text';

interface Page<T> {
  items: readonly T[];
  next?: string | undefined;
}

/** Asked from the start when what is asked for (`key`) changes, after a reset, or by `again`. items: undefined until something came. more: the button for the next page, where there is one. */
export function usePages<T>(ask: (after?: string) => Promise<Page<T>>, key: string): {
  items: readonly T[] | undefined;
  wrong: string | undefined;
  again: () => void;
  more: ComponentChildren;
} {
  const resets = useHome().resets.value;
  const [pages, setPages] = useState<{ items?: readonly T[]; next?: string | undefined; wrong?: string }>({});
  const load = async (after?: string) => {
    try {
      const { items, next } = await ask(after);
      setPages((before) => ({ items: after ? [...(before.items ?? []), ...items] : items, next }));
    } catch (e) {
      const wrong = reasonOf(e);
      setPages((before) => ({ ...before, wrong }));
    }
  };
  useEffect(() => void load(), [key, resets]);
  const { items, next, wrong } = pages;
  const more = next !== undefined && (
    <button class="button" onClick={() => void load(next)}>
      {t('app.more')}
    </button>
  );
  return { items, wrong, again: () => void load(), more };
}
