/* Everything that can be done from here, by typing a few letters of it. */
import { useRef, useState } from 'preact/hooks';
import { builtIn } from './listing';
import { runMacro, snooze } from './ticket_actions';
import { useHome } from '../ui/context';
import { Dialog } from '../ui/parts';
import { beside, go, place } from '../ui/router';
import { setTicket, undo } from '../state/actions';
import { language, theme } from '../state/settings';
import { languages, t } from '../text/text';
import { Priority, TicketState } from '@schema';

interface Command {
  name: string;
  run: () => void;
}

const SHOWN = 12;

/** The letters in their order, the sooner and the closer the better: undefined where one is missing. */
export function rank(name: string, typed: string): number | undefined {
  const text = name.toLowerCase();
  let at = -1;
  let cost = 0;
  for (const letter of typed.toLowerCase().replace(/\s+/g, '')) {
    const next = text.indexOf(letter, at + 1);
    if (next < 0) return undefined;
    cost += next === at + 1 ? 0 : next - at + (text[next - 1] === ' ' ? 0 : 5);
    at = next;
  }
  return cost;
}

function useCommands(): Command[] {
  const home = useHome();
  const at = place.value;
  const ticket = at.page === 'ticket' ? home.tickets.byNumber(at.number) : undefined;
  const commands: Command[] = [];
  const add = (name: string, run: () => void) => commands.push({ name, run });
  if (ticket && home.agent) {
    const set = (what: string, value: string, change: Parameters<typeof setTicket>[2]) => add(t('palette.set', { what, value }), () => void setTicket(home, ticket, change, value));
    set(t('ticket.assignee'), home.people.name(home.me.user), { assignee: home.me.user });
    set(t('ticket.assignee'), t('ticket.nobody'), { assignee: null });
    for (const state of TicketState) set(t('ticket.state'), t(`state.${state}`), { state });
    for (const { label, state, name } of home.definitions.usable('label')) set(t('ticket.state'), name, { state, label });
    for (const priority of Priority) set(t('ticket.priority'), t(`priority.${priority}`), { priority });
    for (const { macro, name } of home.definitions.usable('macro')) add(t('palette.macro', { name }), () => void runMacro(home, macro, ticket, ticket.newest_comment));
    add(`${t('ticket.snooze')}: ${t('ticket.snooze_reply')}`, () => void snooze(home, ticket.id));
  }
  add(t('list.new'), () => go(beside('/new')));
  if (home.agent) {
    for (const { id, name } of builtIn) add(t('palette.go', { name: t(name) }), () => go(`/?v=${id}`));
    for (const { view, name } of home.definitions.usable('view')) add(t('palette.go', { name }), () => go(`/?v=${view}`));
    add(t('app.undo'), () => void undo(home));
  }
  add(t('palette.go', { name: t('nav.settings') }), () => go('/settings'));
  if (home.admin) {
    add(t('palette.go', { name: t('nav.admin') }), () => go('/admin'));
    add(t('palette.go', { name: t('nav.operations') }), () => go('/ops'));
  }
  for (const name of ['system', 'light', 'dark'] as const) add(t('palette.set', { what: t('settings.theme'), value: t(`settings.theme.${name}`) }), () => (theme.value = name));
  for (const [id, name] of Object.entries(languages)) add(t('palette.set', { what: t('settings.language'), value: name }), () => (language.value = id));
  add(t('nav.sign_out'), () => go('/settings'));
  return commands;
}

export function Palette({ onClose }: { onClose: () => void }) {
  const all = useCommands();
  const [typed, setTyped] = useState('');
  const [chosen, setChosen] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const number = /^#?([1-9][0-9]*)$/.exec(typed.trim())?.[1];
  const found = all
    .map((command) => ({ command, cost: rank(command.name, typed) }))
    .filter(({ cost }) => cost !== undefined)
    .sort((a, b) => a.cost! - b.cost!)
    .slice(0, SHOWN)
    .map(({ command }) => command);
  if (number) found.unshift({ name: t('palette.go', { name: `#${number}` }), run: () => go(beside(`/t/${number}`)) });
  const index = Math.min(chosen, found.length - 1);
  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    command.run();
  };
  return (
    <Dialog title={t('palette.title')} className="palette" onClose={onClose}>
      <input autofocus role="combobox" aria-expanded="true" aria-controls="palette-list" aria-activedescendant={found.length ? `palette-${index}` : undefined}
        aria-label={t('palette.hint')} placeholder={t('palette.hint')} value={typed}
        onInput={(e) => {
          setTyped(e.currentTarget.value);
          setChosen(0);
        }}
        onKeyDown={(e) => {
          const step = e.key === 'ArrowDown' ? 1 : e.key === 'ArrowUp' ? -1 : 0;
          if (step) {
            e.preventDefault();
            const next = (index + step + found.length) % found.length;
            setChosen(next);
            list.current?.children[next]?.scrollIntoView({ block: 'nearest' });
          } else if (e.key === 'Enter') {
            e.preventDefault();
            run(found[index]);
          }
        }} />
      <ul ref={list} id="palette-list" role="listbox" aria-label={t('palette.title')} class="palette-list">
        {found.map((command, i) => (
          <li key={i} id={`palette-${i}`} role="option" aria-selected={i === index} onClick={() => run(command)}>
            {command.name}
          </li>
        ))}
      </ul>
      {found.length === 0 && <p class="soft">{t('palette.none')}</p>}
    </Dialog>
  );
}
