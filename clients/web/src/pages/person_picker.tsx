/* Somebody, found by the first letters of their name: a desk may know ten thousand people. */
import { useId, useState } from 'preact/hooks';
import { candidates } from './mention_picker';
import { useHome } from '../ui/context';
import { Face } from '../ui/parts';
import { t } from '../text/text';

export function PersonPicker({ label, hint, value, without = [], onPick }: {
  label: string;
  hint?: string;
  /** Who is chosen; where absent, choosing is all that happens. */
  value?: string | undefined;
  without?: readonly string[];
  /** Undefined: nobody any more. */
  onPick: (user: string | undefined) => void;
}) {
  const home = useHome();
  const id = useId();
  const [typed, setTyped] = useState<string>();
  const [chosen, setChosen] = useState(0);
  const found = typed ? candidates(home.people.all.value.filter((p) => !without.includes(p.id)), typed.trim()) : [];
  const index = Math.min(chosen, found.length - 1);
  const pick = (user: string | undefined) => {
    setTyped(undefined);
    setChosen(0);
    onPick(user);
  };
  return (
    <div class="picker">
      <input role="combobox" aria-label={label} aria-expanded={found.length > 0} aria-controls={id} aria-autocomplete="list" autocomplete="off" maxLength={80}
        aria-activedescendant={found.length ? `${id}-${index}` : undefined} placeholder={hint ?? label} value={typed ?? home.people.name(value)}
        onInput={(e) => {
          setTyped(e.currentTarget.value);
          setChosen(0);
          if (!e.currentTarget.value && value) onPick(undefined);
        }}
        onBlur={() => setTyped(undefined)}
        onKeyDown={(e) => {
          const step = e.key === 'ArrowDown' ? 1 : e.key === 'ArrowUp' ? -1 : 0;
          if (!found.length || !(step || e.key === 'Enter' || e.key === 'Escape')) return;
          e.preventDefault();
          if (step) setChosen((index + step + found.length) % found.length);
          else if (e.key === 'Enter') pick(found[index]?.id);
          else setTyped(undefined);
        }} />
      <ul id={id} class="mentions" role="listbox" aria-label={label} hidden={found.length === 0}>
        {found.map((person, i) => (
          <li key={person.id} id={`${id}-${i}`} role="option" aria-selected={i === index} onMouseDown={(e) => (e.preventDefault(), pick(person.id))}>
            <Face user={person.id} small named />
            {person.name}
            <span class="soft small">{t(`role.${person.role}`)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
