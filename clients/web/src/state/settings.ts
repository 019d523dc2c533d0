/* What this browser remembers of its user's taste, and what binds it to the desk. */
import { effect, signal } from '@preact/signals';
import type { DeviceKey } from '../wire/session';
import type { Role } from '@schema';

function read<T>(name: string): T | undefined {
  try {
    const text = localStorage.getItem(`assist.${name}`);
    return text === null ? undefined : (JSON.parse(text) as T);
  } catch {
    return undefined;
  }
}

function write(name: string, value: unknown): void {
  try {
    if (value === undefined) localStorage.removeItem(`assist.${name}`);
    else localStorage.setItem(`assist.${name}`, JSON.stringify(value));
  } catch {
    /* a browser that keeps nothing: it holds as long as the page does */
  }
}

/* What another tab has written holds here as well. */
function setting<T>(name: string, usual: T) {
  const s = signal<T>(read<T>(name) ?? usual);
  effect(() => write(name, s.value));
  addEventListener('storage', ({ key }) => {
    if (key === `assist.${name}` || key === null) s.value = read<T>(name) ?? usual;
  });
  return s;
}

export type Theme = 'system' | 'light' | 'dark';

export const theme = setting<Theme>('theme', 'system');
/** Empty: what the browser prefers. */
export const language = setting<string>('language', '');
export const density = setting<'roomy' | 'dense'>('density', 'roomy');

effect(() => void (document.documentElement.dataset.density = density.value));
effect(() => {
  if (theme.value === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
});

/** The device's key, and who it was bound for: known before the desk has answered. */
export interface Device extends DeviceKey {
  user: string;
  name: string;
  role: Role;
}

/** A code is on its way to this browser's user: the link in the mail may open another tab. */
export const awaited = setting<{ email: string; label: string; until: number } | undefined>('awaited', undefined);

export const device = setting<Device | undefined>('device', undefined);
