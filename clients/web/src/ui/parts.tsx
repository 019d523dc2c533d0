/* The small things that pages are made of. */
import type { ComponentChildren, JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Icon, type IconName } from './icon';
import { useHome } from './context';
import { dismiss, toasts } from '../state/toasts';
import { exact, relative, t } from '../text/text';
import type { Ticket, TicketState } from '@schema';

const hueOf = (id: string): number => [...id].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) % 360, 7);
const initials = (name: string): string =>
  name
    .split(/\s+/)
    .filter(Boolean)
    .slice(0, 2)
    .map((word) => [...word][0]!.toUpperCase())
    .join('') || '?';

/** Somebody, by initials; the name is read out where it does not stand beside. */
export function Face({ user, small, named }: { user: string; small?: boolean; named?: boolean }) {
  const { people } = useHome();
  const name = people.name(user);
  const online = people.online.value.has(user);
  return (
    <span class={`face${small ? ' small' : ''}${online ? ' online' : ''}`} style={{ '--hue': String(hueOf(user)) }} title={named ? undefined : name}
      {...(named ? { 'aria-hidden': true } : { role: 'img', 'aria-label': name })}>
      {initials(name)}
    </span>
  );
}

export function Faces({ users }: { users: readonly string[] }) {
  return (
    <span class="faces">
      {users.slice(0, 3).map((user) => (
        <Face key={user} user={user} small />
      ))}
      {users.length > 3 && <span class="small soft">+{users.length - 3}</span>}
    </span>
  );
}

export function Name({ user }: { user: string | undefined }) {
  return <>{useHome().people.name(user)}</>;
}

/** A moment: how long ago, and exactly on hover. */
export function When({ at }: { at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={exact(at)}>
      {relative(at)}
    </time>
  );
}

export function StatePill({ state, label }: { state: TicketState; label?: string | undefined }) {
  const { definitions } = useHome();
  return <span class={`pill ${state}`}>{definitions.name('label', label) || t(`state.${state}`)}</span>;
}

export function PriorityPill({ priority }: { priority: Ticket['priority'] }) {
  if (priority === 'normal') return null;
  return <span class={`pill ${priority}`}>{t(`priority.${priority}`)}</span>;
}

export function IconButton({ icon, label, small, ...rest }: { icon: IconName; label: string; small?: boolean } & Omit<JSX.IntrinsicElements['button'], 'icon'>) {
  return (
    <button type="button" class={`icon-button${small ? ' small' : ''}`} aria-label={label} title={label} {...rest}>
      <Icon name={icon} />
    </button>
  );
}

export function Field({ label, hint, wrong, children }: { label: string; hint?: string | undefined; wrong?: string | undefined; children: ComponentChildren }) {
  return (
    <label class="field">
      <span>{label}</span>
      {children}
      {hint && <span class="hint">{hint}</span>}
      {wrong && (
        <span class="wrong" role="alert">
          {wrong}
        </span>
      )}
    </label>
  );
}

/** Why there is nothing: in a list, or instead of a whole page. */
/** Why something was refused. */
export function Wrong({ text }: { text: string | undefined }) {
  if (!text) return null;
  return (
    <p class="notice danger" role="alert">
      {text}
    </p>
  );
}

/** A table that scrolls sideways where there is no room, also by keys. */
export function Table({ label, heads, children }: { label: string; heads?: readonly ComponentChildren[]; children: ComponentChildren }) {
  return (
    <div class="scroll-x" role="region" tabIndex={0} aria-label={label}>
      <table>
        {heads && (
          <thead>
            <tr>
              {heads.map((head, i) => (
                <th key={i} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
        )}
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

export function Empty({ icon, title, text, page, children }: { icon: IconName; title: string; text?: string; page?: boolean; children?: ComponentChildren }) {
  const Heading = page ? 'h1' : 'h2';
  return (
    <div class="empty">
      <Icon name={icon} />
      <Heading>{title}</Heading>
      {text && <p>{text}</p>}
      {children}
    </div>
  );
}

/** As a ref: whoever comes to a page writes there first. `autofocus` does that for what the page began with alone. */
export const focused = (element: HTMLElement | null): void => element?.focus();

/** A dialog that is open as long as it is rendered. The first field, or what is marked `autofocus`, gets the focus; Escape closes. */
export function Dialog({ title, onClose, children, foot, wide, className = '' }: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  foot?: ComponentChildren;
  wide?: boolean;
  className?: string;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  /* before the next key: what is typed right behind the one that opened it is meant for it */
  useLayoutEffect(() => {
    const dialog = ref.current!;
    /* a menu that led here is gone when this is: its button stays */
    const at = document.activeElement;
    const menu = at?.closest('[popover]');
    const before = menu ? document.querySelector(`[popovertarget="${menu.id}"]`) : at;
    dialog.showModal();
    return () => {
      dialog.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog ref={ref} class={`${wide ? 'wide ' : ''}${className}`} aria-label={title}
      onCancel={(e) => {
        e.preventDefault();
        onClose();
      }}
      onClick={(e) => e.target === ref.current && onClose()}>
      <div class="dialog">
        <div class="dialog-head">
          <h2 class="grow">{title}</h2>
          <IconButton icon="close" label={t('app.close')} onClick={onClose} />
        </div>
        <div class="dialog-body">{children}</div>
        {foot && <div class="dialog-foot">{foot}</div>}
      </div>
    </dialog>
  );
}

let menus = 0;

/** A button with a menu of what stands in `children`: buttons and links, which close it. The first one has the focus as it opens, so that no key is lost. */
export function Menu({ label, icon, text, button = 'icon-button', children }: {
  label: string;
  icon?: IconName;
  text?: ComponentChildren;
  button?: string;
  children: ComponentChildren;
}) {
  const id = useRef(`menu-${++menus}`).current;
  const menu = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const placeIt = () => {
    const box = opener.current!.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = menu.current!;
    const below = box.bottom + 4 + height < innerHeight;
    menu.current!.style.left = `${Math.max(8, Math.min(box.left, innerWidth - width - 8))}px`;
    menu.current!.style.top = `${below ? box.bottom + 4 : Math.max(8, box.top - height - 4)}px`;
  };
  const move = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (!step) return;
    event.preventDefault();
    const items = [...menu.current!.querySelectorAll<HTMLElement>('button, a')];
    items[(items.indexOf(document.activeElement as HTMLElement) + step + items.length) % items.length]?.focus();
  };
  return (
    <>
      <button ref={opener} type="button" class={button} popovertarget={id} aria-haspopup="menu" {...(text ? {} : { 'aria-label': label })} title={label}>
        {icon && <Icon name={icon} />}
        {text}
      </button>
      <div ref={menu} id={id} class="menu" popover="auto" onKeyDown={move} onClick={(e) => (e.target as Element).closest('button, a') && menu.current!.hidePopover()}
        onBeforeToggle={() => menu.current!.querySelector('button, a')?.setAttribute('autofocus', '')}
        onToggle={(e) => e.newState === 'open' && placeIt()}>
        {children}
      </div>
    </>
  );
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, tone, action }) => (
        <div key={id} class={`toast ${tone}`}>
          <span class="grow">{text}</span>
          {action && (
            <button type="button"
              onClick={() => {
                dismiss(id);
                action.run();
              }}>
              {action.name}
            </button>
          )}
          <button type="button" aria-label={t('app.dismiss')} onClick={() => dismiss(id)}>
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}
