/* What can be said of each kind of definition: the members of its save method, and how they are edited. */
import type { Kind } from '../../state/definitions';
import type { Text } from '../../text/text';

export type Input =
  | { is: 'text'; max: number }
  | { is: 'words'; max: number }
  | { is: 'lines'; max: number }
  | { is: 'bool' }
  | { is: 'tags' }
  | { is: 'states' }
  | { is: 'staff' }
  | { is: 'one'; of: 'state' | 'priority' | 'field_kind' | 'field_access' | 'assign' | 'team' | 'type' | 'label' | 'reply' | 'person'; optional: boolean };

export interface Member {
  name: string;
  text: Text;
  hint?: Text;
  input: Input;
  /** It stays as it was made. */
  fixed?: boolean;
}

const name: Member = { name: 'name', text: 'admin.name', input: { is: 'text', max: 80 } };

export const forms: Record<Exclude<Kind, 'view'>, Member[]> = {
  team: [name, { name: 'members', text: 'admin.members', input: { is: 'staff' } }, { name: 'rotate', text: 'admin.rotate', input: { is: 'bool' } }],
  type: [name, { name: 'team', text: 'ticket.team', hint: 'admin.type_team_hint', input: { is: 'one', of: 'team', optional: true } }],
  field: [
    name,
    { name: 'key', text: 'admin.key', hint: 'admin.key_hint', input: { is: 'text', max: 40 }, fixed: true },
    { name: 'kind', text: 'admin.kind', input: { is: 'one', of: 'field_kind', optional: false }, fixed: true },
    { name: 'choices', text: 'admin.choices', hint: 'admin.choices_hint', input: { is: 'lines', max: 80 } },
    { name: 'access', text: 'admin.access', input: { is: 'one', of: 'field_access', optional: false } },
  ],
  label: [name, { name: 'state', text: 'ticket.state', input: { is: 'one', of: 'state', optional: false }, fixed: true }],
  reply: [name, { name: 'text', text: 'admin.text', hint: 'admin.placeholders', input: { is: 'words', max: 4000 } }],
  macro: [
    name,
    { name: 'when_states', text: 'admin.when_states', input: { is: 'states' } },
    { name: 'when_unassigned', text: 'admin.when_unassigned', input: { is: 'bool' } },
    { name: 'when_tags', text: 'admin.when_tags', input: { is: 'tags' } },
    { name: 'state', text: 'bulk.state', input: { is: 'one', of: 'state', optional: true } },
    { name: 'label', text: 'admin.set_label', input: { is: 'one', of: 'label', optional: true } },
    { name: 'priority', text: 'bulk.priority', input: { is: 'one', of: 'priority', optional: true } },
    { name: 'assign', text: 'admin.assign', input: { is: 'one', of: 'assign', optional: true } },
    { name: 'assignee', text: 'admin.assignee', input: { is: 'one', of: 'person', optional: true } },
    { name: 'type', text: 'ticket.type', input: { is: 'one', of: 'type', optional: true } },
    { name: 'team', text: 'ticket.team', input: { is: 'one', of: 'team', optional: true } },
    { name: 'add_tags', text: 'admin.add_tags', input: { is: 'tags' } },
    { name: 'remove_tags', text: 'admin.remove_tags', input: { is: 'tags' } },
    { name: 'note', text: 'thread.note', hint: 'admin.placeholders', input: { is: 'words', max: 1000 } },
    { name: 'reply', text: 'admin.reply', input: { is: 'one', of: 'reply', optional: true } },
  ],
};
