/* The tickets of a view or search, however many: only the rows that can be seen are there. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { builtIn, listingOf, onlyFilters } from './listing';
import { useDesk, useHome } from '../ui/context';
import { Icon } from '../ui/icon';
import { useKeys } from '../ui/keys';
import { lazy } from '../ui/lazy';
import { Empty, Face, Faces, IconButton, PriorityPill, StatePill, When } from '../ui/parts';
import { beside, go, param, place, query, withParam } from '../ui/router';
import { useRows } from '../ui/virtual';
import { density } from '../state/settings';
import { code } from '../wire/failure';
import { reasonOf, shortTime, t } from '../text/text';
import { ViewOrder } from '@schema';

const Bulk = lazy(() => import('./bulk').then((m) => m.Bulk));
const ViewDialog = lazy(() => import('./view').then((m) => m.ViewDialog));

const SEARCH_MS = 200;
/* who is at tickets that this page has not open, it is not told */
const VIEWERS_MS = 4_000;
const HEIGHT = { roomy: 74, dense: 52, found: 98 } as const;

const folded = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

/** The words around those that were found, which are marked: those of the query, whatever their case and accents. */
function Snippet({ text }: { text: string }) {
  const words = (query.value.match(/"[^"]*"|\S+/g) ?? []).filter((word) => !/^-?[a-z.0-9_]+:/.test(word)).flatMap((word) => folded(word).match(/[\p{L}\p{N}]+/gu) ?? []);
  return (
    <span class="snippet clip small soft">
      {text.split(/([\p{L}\p{N}]+)/u).map((part, i) => (words.some((word) => folded(part).startsWith(word)) ? <mark key={i}>{part}</mark> : part))}
    </span>
  );
}

function Row({ id, top, shape, position, of, selected, focusable, onSelect, snippet }: {
  id: string;
  top: number;
  shape: keyof typeof HEIGHT;
  position: number;
  of: number;
  selected: boolean;
  focusable: boolean;
  onSelect: ((selected: boolean) => void) | undefined;
  snippet: string | undefined;
}) {
  const home = useHome();
  const ticket = home.tickets.byId.at(id).value;
  const at = place.value;
  if (!ticket) return null;
  const current = at.page === 'ticket' && at.number === ticket.number;
  const dense = shape === 'dense';
  const viewers = (home.people.viewers.at(id).value ?? []).map(({ user }) => user).filter((user) => user !== home.me.user);
  const snooze = home.snoozes.value.get(id);
  const tabIndex = focusable ? 0 : -1;
  return (
    <li class={`list-row ${shape}${current ? ' current' : ''}${ticket.unread ? ' unread' : ''}`} style={{ transform: `translateY(${top}px)` }}
      aria-setsize={of} aria-posinset={position}>
      <span class="pick">
        {onSelect && (
          <input type="checkbox" checked={selected} tabIndex={tabIndex} aria-label={t('list.select', { number: String(ticket.number) })}
            onChange={(e) => onSelect(e.currentTarget.checked)} />
        )}
      </span>
      <a href={beside(`/t/${ticket.number}`)} tabIndex={tabIndex} data-position={position} {...(current && { 'aria-current': 'true' as const })}>
        <span class="line">
          {!!ticket.unread && (
            <span class="row">
              <span class="dot" />
              <span class="visually-hidden">{t('list.unread', { n: ticket.unread })}</span>
            </span>
          )}
          <span class="subject clip">{ticket.subject || t('ticket.redacted_subject')}</span>
          <When at={ticket.changed_at} />
        </span>
        <span class="line small soft">
          <span class="number">#{ticket.number}</span>
          {!dense && <span class="clip">{home.people.name(ticket.requester)}</span>}
          <StatePill state={ticket.state} label={ticket.label} />
          <PriorityPill priority={ticket.priority} />
          {snooze && (
            <span title={snooze.until_at ? t('list.snoozed_until', { time: shortTime(snooze.until_at) }) : t('list.snoozed')}>
              <Icon name="moon" small />
              <span class="visually-hidden">{t('list.snoozed')}</span>
            </span>
          )}
          {!dense && (
            <span class="tags">
              {ticket.tags.slice(0, 2).map((tag) => (
                <span key={tag} class="tag">
                  {tag}
                </span>
              ))}
            </span>
          )}
          <span class="end">
            {viewers.length > 0 && (
              <span class="row">
                <Icon name="eye" small />
                <Faces users={viewers} />
              </span>
            )}
            {home.agent && ticket.assignee && <Face user={ticket.assignee} small />}
          </span>
        </span>
        {snippet && !dense && <Snippet text={snippet} />}
      </a>
    </li>
  );
}

function Search() {
  const home = useHome();
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(query.value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    if (document.activeElement !== input.current) setTyped(query.value);
  }, [query.value]);
  useKeys({ '/': () => input.current?.select() });
  const search = (text: string) => {
    setTyped(text);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => go(withParam('q', text.trim()), { replace: true }), SEARCH_MS);
  };
  return (
    <div class="search">
      <Icon name="search" />
      <input ref={input} type="search" value={typed} placeholder={t(home.agent ? 'list.search_hint' : 'list.search')} aria-label={t('list.search')} maxLength={400}
        onInput={(e) => search(e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.key === 'Escape') {
            search('');
            input.current?.blur();
          }
        }} />
    </div>
  );
}

function Head({ view, onMenu, onSaveView }: { view: string; onMenu: () => void; onSaveView: () => void }) {
  const home = useHome();
  const { embedded } = useDesk();
  const known = builtIn.find(({ id }) => id === (view || builtIn[0]!.id));
  const title = query.value ? t('list.search') : !home.agent ? t('nav.your_tickets') : known ? t(known.name) : home.definitions.name('view', view);
  return (
    <div class="list-head">
      <div class={`list-title${query.value ? ' searching' : ''}`}>
        {!embedded && (
          <span class={home.agent ? 'only-narrow' : ''}>
            <IconButton icon="menu" label={t('app.menu')} onClick={onMenu} />
          </span>
        )}
        <h1 class="grow clip">{title}</h1>
        {home.agent && (query.value || !known) && <IconButton icon={query.value ? 'plus' : 'pen'} label={t(query.value ? 'nav.new_view' : 'view.edit')} onClick={onSaveView} />}
        {home.agent && onlyFilters(query.value) && (
          <select aria-label={t('list.sort')} value={param('order') || known?.order || home.definitions.find('view', view)?.order || 'changed'}
            onChange={(e) => go(withParam('order', e.currentTarget.value), { replace: true })}>
            {ViewOrder.map((order) => (
              <option key={order} value={order}>
                {t(`list.order.${order}`)}
              </option>
            ))}
          </select>
        )}
        <a class="button small" href={beside('/new')} aria-label={t('list.new')} title={t('list.new')}>
          <Icon name="plus" small />
          {t('list.new_short')}
        </a>
      </div>
      <Search />
    </div>
  );
}

export function ListPane({ onMenu }: { onMenu: () => void }) {
  const home = useHome();
  const at = place.value;
  const view = at.page === 'list' || at.page === 'ticket' ? at.view : param('v');
  const asked = query.value;
  const order = param('order');
  const key = JSON.stringify([view, asked, order]);
  const list = useMemo(() => home.openList(listingOf(home, view, asked, order)), [key, home]);
  useEffect(() => () => home.closeList(list), [list]);

  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [dialog, setDialog] = useState<'bulk' | 'view' | undefined>();
  useEffect(() => setSelected(new Set()), [key]);

  const scroll = useRef<HTMLDivElement>(null);
  const dense = density.value === 'dense';
  const ids = list.ids.value;
  const shape = dense ? 'dense' : list.snippets.value.size ? 'found' : 'roomy';
  const { rows, total, show } = useRows(scroll, ids.length, HEIGHT[shape]);
  const [focus, setFocus] = useState(0);

  const last = rows.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= ids.length - 20 && !list.failure.peek()) void list.more();
  }, [last, ids.length, list.complete.value, list]);
  const first = rows[0]?.index ?? 0;
  useEffect(() => list.look(first, last), [first, last, list]);
  const shown = rows.map(({ index }) => ids[index]!).join();
  useEffect(() => {
    if (!home.agent || !shown) return;
    const look = () => {
      const others = shown.split(',').filter((id) => !home.presence.looksAt(id));
      if (document.visibilityState === 'visible' && others.length && !home.offline.peek()) void home.people.fetchViewers(others).catch(() => undefined);
    };
    const soon = setTimeout(look, 300);
    const again = setInterval(look, VIEWERS_MS);
    return () => {
      clearTimeout(soon);
      clearInterval(again);
    };
  }, [shown, home.offline.value]);

  const move = (step: number) => {
    const to = Math.max(0, Math.min(ids.length - 1, focus + step));
    setFocus(to);
    show(to);
    requestAnimationFrame(() => scroll.current?.querySelector<HTMLElement>(`a[data-position="${to + 1}"]`)?.focus());
    const number = home.tickets.byId.get(ids[to] ?? '')?.number;
    if (number && at.page === 'ticket') go(beside(`/t/${number}`), { replace: true });
  };
  const select = (id: string, on: boolean) => {
    const next = new Set(selected);
    if (on) next.add(id);
    else next.delete(id);
    setSelected(next);
  };
  useKeys({
    j: () => move(document.activeElement?.closest('.list-row') || at.page === 'ticket' ? 1 : 0),
    k: () => move(-1),
    ArrowDown: () => move(document.activeElement?.closest('.list-row') ? 1 : 0),
    ArrowUp: () => move(-1),
    x: () => home.agent && ids[focus] && select(ids[focus]!, !selected.has(ids[focus]!)),
  });

  const failure = list.failure.value;
  const empty = ids.length === 0 && !list.loading.value && !failure;
  return (
    <section class="list" aria-label={t('list.label')}>
      <Head view={view} onMenu={onMenu} onSaveView={() => setDialog('view')} />
      {failure && (
        <p class="notice warn" role="alert">
          {failure.code === code.invalidParams ? (failure.data.reason ?? failure.message) : reasonOf(failure)}
        </p>
      )}
      {empty &&
        (asked ? (
          <Empty icon="search" title={t('list.empty')} text={t('list.empty_search')} />
        ) : home.agent ? (
          <Empty icon="check" title={t('list.empty')} text={t('list.empty_text')} />
        ) : (
          <Empty icon="inbox" title={t('list.empty_customer')} text={t('list.empty_customer_text')}>
            <a class="button main" href="/new">
              {t('list.new')}
            </a>
          </Empty>
        ))}
      <div class="list-scroll" ref={scroll} hidden={empty} tabIndex={-1}>
        <ul class="list-rows" role="list" style={{ height: `${total}px` }} onFocusIn={(e) => {
          const position = (e.target as Element).closest('.list-row')?.getAttribute('aria-posinset');
          if (position) setFocus(Number(position) - 1);
        }}>
          {rows.map(({ index, start }) => {
            const id = ids[index]!;
            return (
              <Row key={id} id={id} top={start} shape={shape} position={index + 1} of={list.complete.value ? ids.length : -1} selected={selected.has(id)}
                focusable={index === Math.min(focus, ids.length - 1)} onSelect={home.agent ? (on) => select(id, on) : undefined}
                snippet={list.snippets.value.get(id)} />
            );
          })}
        </ul>
      </div>
      {selected.size > 0 && (
        <div class="bulk-bar" role="toolbar" aria-label={t('list.selected', { n: selected.size })}>
          <strong class="grow">{t('list.selected', { n: selected.size })}</strong>
          <button class="button small main" onClick={() => setDialog('bulk')}>
            {t('bulk.what')}
          </button>
          <IconButton icon="close" label={t('list.clear')} onClick={() => setSelected(new Set())} />
        </div>
      )}
      {dialog === 'bulk' && (
        <Bulk tickets={[...selected]}
          onClose={(changed) => {
            setDialog(undefined);
            if (changed) setSelected(new Set());
          }} />
      )}
      {dialog === 'view' && <ViewDialog view={asked ? '' : view} query={asked} onClose={() => setDialog(undefined)} />}
    </section>
  );
}
