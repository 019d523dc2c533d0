/* Rows of one height, of which only those are there that can be seen. */
import { elementScroll, observeElementOffset, observeElementRect, Virtualizer, type VirtualItem } from '@tanstack/virtual-core';
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useReducer, useState } from 'preact/hooks';

export function useRows(scroll: RefObject<HTMLElement | null>, count: number, height: number): { rows: VirtualItem[]; total: number; show: (index: number) => void } {
  const [, render] = useReducer((n: number) => n + 1, 0);
  const options = {
    count,
    estimateSize: () => height,
    getScrollElement: () => scroll.current,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    overscan: 6,
    onChange: () => render(undefined),
  };
  const [virtualizer] = useState(() => new Virtualizer<HTMLElement, HTMLElement>(options));
  virtualizer.setOptions(options);
  useEffect(() => virtualizer._didMount(), []);
  useLayoutEffect(() => virtualizer._willUpdate());
  useLayoutEffect(() => virtualizer.measure(), [height]);
  return { rows: virtualizer.getVirtualItems(), total: virtualizer.getTotalSize(), show: (index) => virtualizer.scrollToIndex(index, { align: 'auto' }) };
}
