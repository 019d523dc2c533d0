/* People to choose from, under a field where a name begins: by arrows and Enter, or by a click. */
import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import { Face } from '../ui/parts';
import { t } from '../text/text';
import type { Person } from '@schema';

const SHOWN = 6;

const folded = (name: string): string => name.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

/** People whose name, or a part of it, begins like that: those who answer first. */
export function candidates(people: readonly Person[], typed: string): Person[] {
  const wanted = folded(typed);
  const fits = ({ name, active }: Person): boolean => active && folded(name).split(' ').some((_, i, words) => words.slice(i).join(' ').startsWith(wanted));
  return people
    .filter(fits)
    .sort((a, b) => Number(a.role === 'customer') - Number(b.role === 'customer'))
    .slice(0, SHOWN);
}

/** The list of those who were `found`, its keys (true: it was one of its), and what the field says of it to who can't see it. */
export function useChoices({ found, label, take, close }: { found: readonly Person[]; label: string; take: (person: Person) => void; close: () => void }): {
  list: ComponentChildren;
  key: (event: KeyboardEvent) => boolean;
  props: Record<string, string>;
} {
  const id = useId();
  const [chosen, setChosen] = useState(0);
  const index = Math.min(chosen, found.length - 1);
  const pick = (person: Person | undefined) => {
    setChosen(0);
    if (person) take(person);
  };
  const key = (event: KeyboardEvent): boolean => {
    if (found.length === 0) return false;
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step) setChosen((index + step + found.length) % found.length);
    else if (event.key === 'Enter' || event.key === 'Tab') pick(found[index]);
    else if (event.key === 'Escape') close();
    else {
      setChosen(0);
      return false;
    }
    event.preventDefault();
    return true;
  };
  const props: Record<string, string> = { 'aria-autocomplete': 'list' };
  if (found.length) Object.assign(props, { 'aria-controls': id, 'aria-activedescendant': `${id}-${index}` });
  const list = found.length > 0 && (
    <ul id={id} class="choices" role="listbox" aria-label={label}>
      {found.map((person, i) => (
        <li key={person.id} id={`${id}-${i}`} role="option" aria-selected={i === index} onMouseDown={(e) => (e.preventDefault(), pick(person))}>
          <Face user={person.id} small named />
          {person.name}
          <span class="soft small">{t(`role.${person.role}`)}</span>
        </li>
      ))}
    </ul>
  );
  return { list, key, props };
}
