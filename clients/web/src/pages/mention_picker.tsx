/* Names to choose from behind an @, while a text is written. */
import type { ComponentChildren, RefObject } from 'preact';
import { useState } from 'preact/hooks';
import { candidates, useChoices } from './person_choices';
import { useHome } from '../ui/context';
import { t } from '../text/text';
import type { Person } from '@schema';

/** What stands between an @ and the caret, where that could become a name. */
export function begun(body: string, caret: number): { at: number; typed: string } | undefined {
  const match = /(?:^|[^\p{L}\p{N}])@([\p{L}\p{N} .'’-]{0,40})$/u.exec(body.slice(0, caret));
  return match ? { at: caret - match[1]!.length, typed: match[1]! } : undefined;
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
  const found = open ? candidates(home.people.all.value, open.typed).filter(({ name }) => name !== open.typed.trim()) : [];

  const take = (person: Person) => {
    if (!open) return;
    const before = `${body.slice(0, open.at)}${person.name} `;
    setOpen(undefined);
    write(before + body.slice(open.at + open.typed.length));
    requestAnimationFrame(() => {
      field.current?.focus();
      field.current?.setSelectionRange(before.length, before.length);
    });
  };
  const choices = useChoices({ found, label: t('compose.mention'), take, close: () => setOpen(undefined) });
  const look = () => {
    const { value = '', selectionEnd = 0 } = field.current ?? {};
    setOpen(begun(value, selectionEnd));
  };
  const key = (event: KeyboardEvent): boolean => !event.ctrlKey && !event.metaKey && choices.key(event);
  return { list: choices.list, look, key, props: choices.props };
}
