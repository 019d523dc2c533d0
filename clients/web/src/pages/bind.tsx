/* A browser that is nobody's device yet: ask for a code by mail, enter it, done. */
import { useEffect, useState } from 'preact/hooks';
import { useDesk } from '../ui/context';
import { Field, Wrong, focused } from '../ui/parts';
import { fragment, go, place } from '../ui/router';
import { Icon } from '../ui/icon';
import { Mark } from '../ui/mark';
import { awaited } from '../state/settings';
import { code, isFailure } from '../wire/failure';
import { reasonOf, t } from '../text/text';

const LABEL = /^[A-Za-z0-9 ._-]{1,40}$/;
const EMAIL = /^[^\s@]+@[^\s@]+$/;

/** What this browser would be called: a system and a browser, as far as it tells. */
function usualLabel(): string {
  const agent = navigator.userAgent;
  const system = /Android|iPhone|iPad|Windows|Mac OS|Linux/.exec(agent)?.[0] ?? '';
  const browser = /Firefox|Edg|Chrome|Safari/.exec(agent)?.[0]?.replace('Edg', 'Edge') ?? 'Browser';
  return `${browser} ${system}`.trim();
}

const canonical = (typed: string): string => typed.replace(/[\s-]/g, '').toUpperCase();

/** What a mail's link says: /bind#CODE&label=LABEL */
function linked(): { code: string; label: string } | undefined {
  const said = new URLSearchParams(`code=${fragment.value}`);
  const typed = canonical(said.get('code') ?? '');
  return /^[0-9A-Z]{8}$/.test(typed) ? { code: typed, label: said.get('label') ?? '' } : undefined;
}

function words(e: unknown, fields: Partial<Record<string, string>> = {}): string {
  if (!isFailure(e)) throw e;
  if (e.code === code.invalidParams && e.data.field && fields[e.data.field]) return fields[e.data.field]!;
  switch (e.code) {
    case code.notFound:
      return t('bind.wrong');
    case code.expired:
      return t('bind.expired');
    case code.rateLimited:
      return e.data.retry_after_ms ? t('bind.limited_for', { time: `${Math.ceil(e.data.retry_after_ms / 60_000)} min` }) : t('bind.limited');
    case code.unreachable:
    case code.unavailable:
      return t('bind.offline');
    default:
      return reasonOf(e);
  }
}

export function Bind({ why }: { why?: 'revoked' | 'another desk' | undefined }) {
  const desk = useDesk();
  const link = linked();
  const waiting = awaited.value && awaited.value.until > Date.now() ? awaited.value : undefined;
  const here = waiting && (!link || link.label === waiting.label);
  const [email, setEmail] = useState(waiting?.email ?? '');
  const [label, setLabel] = useState(() => waiting?.label ?? usualLabel());
  const [typed, setTyped] = useState(here && link ? link.code : '');
  const [asked, setAsked] = useState(!!here);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<{ email?: string; label?: string; code?: string; form?: string }>({});

  /* bound, maybe by another tab: the address is no longer this page's */
  useEffect(() => () => {
    if (desk.phase.peek().is === 'home' && place.peek().page === 'bind') go('/', { replace: true });
  }, []);

  const submit = async (work: () => Promise<void>) => {
    setBusy(true);
    setWrong({});
    await work();
    setBusy(false);
  };
  const ask = () =>
    submit(async () => {
      const bad = { ...(!EMAIL.test(email.trim()) && { email: t('bind.bad_email') }), ...(!LABEL.test(label.trim()) && { label: t('bind.bad_label') }) };
      if (bad.email || bad.label) return setWrong(bad);
      try {
        await desk.askForCode(email.trim(), label.trim());
        setAsked(true);
      } catch (e) {
        setWrong({ form: words(e, { email: t('bind.bad_email'), label: t('bind.bad_label') }) });
      }
    });
  const connect = () =>
    submit(async () => {
      const redeemed = canonical(typed);
      if (redeemed.length !== 8) return setWrong({ code: t('bind.bad_code') });
      try {
        await desk.bind(redeemed);
        go('/', { replace: true });
        requestAnimationFrame(() => document.getElementById('content')?.focus());
      } catch (e) {
        setWrong({ code: words(e, { code: t('bind.bad_code') }) });
      }
    });

  return (
    <main class="center" id="content">
      <form class="card" noValidate
        onSubmit={(e) => {
          e.preventDefault();
          void (asked ? connect() : ask());
        }}>
        <div class="row">
          <Mark />
          <strong>{desk.projectName.value || t('app.title')}</strong>
        </div>
        <h1>{t('bind.title')}</h1>
        {why && (
          <p class="notice warn" role="alert">
            <Icon name="warning" />
            {t(why === 'revoked' ? 'bind.revoked' : 'bind.another_desk')}
          </p>
        )}
        {fragment.value && !asked && (
          <p class="notice">{link?.label ? t('bind.elsewhere', link) : t('bind.elsewhere_none')}</p>
        )}
        {!asked && (
          <>
            <p class="soft">{t('bind.text')}</p>
            <Field label={t('bind.email')} wrong={wrong.email}>
              <input type="email" autocomplete="email" ref={focused} required value={email} aria-invalid={!!wrong.email} onInput={(e) => setEmail(e.currentTarget.value)} />
            </Field>
            <Field label={t('bind.label')} hint={t('bind.label_hint')} wrong={wrong.label}>
              <input maxLength={40} required value={label} aria-invalid={!!wrong.label} onInput={(e) => setLabel(e.currentTarget.value)} />
            </Field>
          </>
        )}
        {asked && (
          <>
            <p class="notice good" role="status">
              {t('bind.sent', { email: email.trim() })}
            </p>
            <Field label={t('bind.code')} hint={t('bind.code_hint')} wrong={wrong.code}>
              <input autocomplete="one-time-code" ref={focused} autocapitalize="characters" spellcheck={false} maxLength={16} required value={typed} aria-invalid={!!wrong.code}
                onInput={(e) => setTyped(e.currentTarget.value)} />
            </Field>
          </>
        )}
        <Wrong text={wrong.form} />
        <button class="button main" disabled={busy}>
          {t(asked ? 'bind.connect' : 'bind.ask')}
        </button>
        {asked && (
          <div class="row wrap">
            <button type="button" class="button plain small" disabled={busy} onClick={() => void ask()}>
              {t('bind.again')}
            </button>
            <button type="button" class="button plain small"
              onClick={() => {
                setAsked(false);
                setWrong({});
              }}>
              {t('bind.another')}
            </button>
          </div>
        )}
      </form>
    </main>
  );
}

/** A mail's link on a device that is somebody's already: it says what was asked, and changes nothing. */
export function Elsewhere() {
  const link = linked();
  return (
    <main class="center" id="content">
      <div class="card">
        <h1>{t('bind.title')}</h1>
        <p>{link?.label ? t('bind.elsewhere', link) : t('bind.elsewhere_none')}</p>
        <a class="button main" href="/">
          {t('bind.to_desk')}
        </a>
      </div>
    </main>
  );
}
