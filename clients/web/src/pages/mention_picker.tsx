/* Names to choose from behind an @, while a text is written. */
import type { ComponentChildren, RefObject } from 'preact';
import { useState } from 'preact/hooks';
import { useHome } from '../ui/context';
import { Face } from '../ui/parts';
import { t } from '../text/text';
import type { Person } from '@schema';

const SHOWN = 6;
const LIST = 'mention-list';

const folded = (name: string): string => name.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

/** What stands between an @ and the caret, where that could become a name. */
export function begun(body: string, caret: number): { at: number; typed: string } | undefined {
  const match = /(?:^|[^\p{L}\p{N}])@([\p{L}\p{N} .'’-]{0,40})$/u.exec(body.slice(0, caret));
  return match ? { at: caret - match[1]!.length, typed: match[1]! } : undefined;
}

/** People whose name, or a part of it, begins like that: those who answer first. */
export function candidates(people: readonly Person[], typed: string): Person[] {
  const wanted = folded(typed);
  const fits = ({ name, active }: Person): boolean => active && folded(name).split(' ').some((_, i, words) => words.slice(i).join(' ').startsWith(wanted));
  return people
    .filter(fits)
    .sort((a, b) => Number(a.role === 'customer') - Number(b.role === 'customer'))
    .slice(0, SHOWN);
}

/** The list under a text field, its keys, and what the field says of it to who can't see it. */
export function useMentions(field: RefObject<HTMLTextAreaElement | null>, body: string, write: (body: string) => void): {
  list: ComponentChildren;
  look: () => void;
  key: (event: KeyboardEvent) => boolean;
  props: Record<string, string>;
} {
  const home = useHome();
  const [open, setOpen] = useState<{ at: number; typed: string }>();
  const [chosen, setChosen] = useState(0);
  const found = open ? candidates(home.people.all.value, open.typed).filter(({ name }) => name !== open.typed.trim()) : [];
  const index = Math.min(chosen, found.length - 1);

  const take = (person: Person | undefined) => {
    if (!open || !person) return;
    const before = `${body.slice(0, open.at)}${person.name} `;
    setOpen(undefined);
    write(before + body.slice(open.at + open.typed.length));
    requestAnimationFrame(() => {
      field.current?.focus();
      field.current?.setSelectionRange(before.length, before.length);
    });
  };
  const key = (event: KeyboardEvent): boolean => {
    if (found.length === 0 || event.ctrlKey || event.metaKey) return false;
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step) setChosen((index + step + found.length) % found.length);
    else if (event.key === 'Enter' || event.key === 'Tab') take(found[index]);
    else if (event.key === 'Escape') setOpen(undefined);
    else return false;
    event.preventDefault();
    return true;
  };
  const look = () => {
    const { value = '', selectionEnd = 0 } = field.current ?? {};
    setOpen(begun(value, selectionEnd));
    setChosen(0);
  };
  const props: Record<string, string> = { 'aria-autocomplete': 'list' };
  if (found.length) Object.assign(props, { 'aria-controls': LIST, 'aria-activedescendant': `${LIST}-${index}` });
  const list = found.length > 0 && (
    <ul id={LIST} class="mentions" role="listbox" aria-label={t('compose.mention')}>
      {found.map((person, i) => (
        <li key={person.id} id={`${LIST}-${i}`} role="option" aria-selected={i === index} onMouseDown={(e) => (e.preventDefault(), take(person))}>
          <Face user={person.id} small named />
          {person.name}
          <span class="soft small">{t(`role.${person.role}`)}</span>
        </li>
      ))}
    </ul>
  );
  return { list, look, key, props };
}
