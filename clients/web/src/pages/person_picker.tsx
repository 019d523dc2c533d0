/* Somebody, found by the first letters of their name: a desk may know ten thousand people. */
import { useState } from 'preact/hooks';
import { candidates, useChoices } from './person_choices';
import { useHome } from '../ui/context';

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
  const [typed, setTyped] = useState<string>();
  const close = () => setTyped(undefined);
  const found = typed ? candidates(home.people.all.value.filter((p) => !without.includes(p.id)), typed.trim()) : [];
  const choices = useChoices({
    found,
    label,
    close,
    take: ({ id }) => {
      close();
      onPick(id);
    },
  });
  return (
    <div class="picker">
      <input role="combobox" {...choices.props} aria-label={label} aria-expanded={found.length > 0} autocomplete="off" maxLength={80} placeholder={hint ?? label}
        value={typed ?? home.people.name(value)} onBlur={close} onKeyDown={choices.key}
        onInput={(e) => {
          setTyped(e.currentTarget.value);
          if (!e.currentTarget.value && value) onPick(undefined);
        }} />
      {choices.list}
    </div>
  );
}
