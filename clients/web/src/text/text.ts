/* Words and times in the user's language. */
import { computed, effect, signal } from '@preact/signals';
import { en, type Catalogue, type TextKey } from './en';
import { code, isFailure } from '../wire/failure';
import { language } from '../state/settings';
import { aheadMs } from '../wire/clock';

export const languages = { en: 'English', fr: 'Français' } as const;
export type Language = keyof typeof languages;

const isLanguage = (l: string): l is Language => l in languages;
const preferred = (): Language => navigator.languages.map((l) => l.slice(0, 2)).find(isLanguage) ?? 'en';

const spoken = signal<{ language: Language; words: Catalogue }>({ language: 'en', words: en });
const plural = computed(() => new Intl.PluralRules(spoken.value.language));

async function speak(wanted: Language): Promise<void> {
  const words = wanted === 'fr' ? (await import('./fr')).fr : en;
  document.documentElement.lang = wanted;
  spoken.value = { language: wanted, words };
}

/** Resolves when the first words can be shown. */
export const ready = new Promise<void>((resolve) => {
  effect(() => {
    const wanted = isLanguage(language.value) ? language.value : preferred();
    void speak(wanted).catch(() => undefined).then(resolve);
  });
});

export type Text = TextKey;
export const isText = (key: string): key is TextKey => key in en;

export function t(key: TextKey, values: Record<string, string | number> = {}): string {
  const forms = spoken.value.words[key].split('|');
  const form = forms.length > 1 && typeof values.n === 'number' && plural.value.select(values.n) !== 'one' ? forms[1]! : forms[0]!;
  return form.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    return typeof value === 'number' ? value.toLocaleString(spoken.value.language) : (value ?? '');
  });
}

/** Why something failed, for people. */
export function reasonOf(e: unknown): string {
  if (!isFailure(e)) throw e;
  switch (e.code) {
    case code.unreachable:
    case code.unavailable:
      return t('reason.offline');
    case code.rateLimited:
      return t('reason.limited');
    case code.forbidden:
      return t('reason.forbidden');
    case code.notFound:
      return e.data.reason ?? t('reason.not_found');
    case code.internal:
      return t('reason.internal', { request: e.data.request ?? '' });
    default:
      return e.data.field ? `${e.data.field}: ${e.data.reason ?? e.message}` : (e.data.reason ?? e.message);
  }
}

/* ---- times, in the viewer's zone ---- */

const minute = signal(Date.now());
setInterval(() => (minute.value = Date.now()), 30_000);

const formats = computed(() => ({
  relative: new Intl.RelativeTimeFormat(spoken.value.language, { numeric: 'auto', style: 'short' }),
  exact: new Intl.DateTimeFormat(spoken.value.language, { dateStyle: 'full', timeStyle: 'medium' }),
  day: new Intl.DateTimeFormat(spoken.value.language, { dateStyle: 'medium' }),
  short: new Intl.DateTimeFormat(spoken.value.language, { dateStyle: 'medium', timeStyle: 'short' }),
  clock: new Intl.DateTimeFormat(spoken.value.language, { hour: '2-digit', minute: '2-digit' }),
  bytes: new Intl.NumberFormat(spoken.value.language, { maximumFractionDigits: 1 }),
}));

const STEPS: [Intl.RelativeTimeFormatUnit, number, number][] = [
  ['minute', 60_000, 60],
  ['hour', 3_600_000, 24],
  ['day', 86_400_000, 7],
];

/** "3 hr. ago"; from a week on, the day. */
export function relative(at: number): string {
  const distance = at - minute.value - aheadMs.value;
  if (Math.abs(distance) < 60_000) return formats.value.relative.format(0, 'second');
  for (const [unit, ms, most] of STEPS) {
    const n = Math.trunc(distance / ms);
    if (Math.abs(n) < most) return formats.value.relative.format(n, unit);
  }
  return formats.value.day.format(at);
}

export const exact = (at: number): string => formats.value.exact.format(at);
export const day = (at: number): string => formats.value.day.format(at);
export const number = (n: number): string => n.toLocaleString(spoken.value.language);
export const shortTime = (at: number): string => formats.value.short.format(at);

export const clock = (at: number): string => formats.value.clock.format(at);

export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  for (; n >= 1024 && i < units.length - 1; i++) n /= 1024;
  return `${formats.value.bytes.format(n)} ${units[i]}`;
}
