/* Short messages about what was done, with a way back where there is one. */
import { signal } from '@preact/signals';

export interface Toast {
  id: number;
  text: string;
  tone: 'done' | 'failed';
  action?: { name: string; run: () => void };
}

const SHOWN_MS = 8_000;
let last = 0;

export const toasts = signal<readonly Toast[]>([]);

export function dismiss(id: number): void {
  toasts.value = toasts.peek().filter((t) => t.id !== id);
}

export function toast(text: string, tone: Toast['tone'] = 'done', action?: Toast['action']): void {
  const id = ++last;
  toasts.value = [...toasts.peek().slice(-3), { id, text, tone, ...(action && { action }) }];
  setTimeout(() => dismiss(id), SHOWN_MS);
}
