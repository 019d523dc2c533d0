/* Keys that mean something wherever no text is being written. */
import { useEffect, useRef } from 'preact/hooks';

const writing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) && (target as HTMLInputElement).type !== 'checkbox';

/** `keys`: what to do, by KeyboardEvent.key; with "Ctrl+" before it, also while writing. */
export function useKeys(keys: Record<string, (event: KeyboardEvent) => void>): void {
  /* as the page is now: a key that comes before its effects ran means what is shown */
  const now = useRef(keys);
  now.current = keys;
  useEffect(() => {
    const down = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || event.altKey || document.querySelector('dialog[open], .menu:popover-open')) return;
      const control = event.ctrlKey || event.metaKey;
      const act = now.current[control ? `Ctrl+${event.key.toLowerCase()}` : event.key];
      if (!act || (!control && writing(event.target))) return;
      event.preventDefault();
      act(event);
    };
    addEventListener('keydown', down);
    return () => removeEventListener('keydown', down);
  }, []);
}
