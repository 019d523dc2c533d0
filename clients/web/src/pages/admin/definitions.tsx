/* Teams, types, fields, labels, macros and canned replies: one list and one form for all of them. */
import { useState } from 'preact/hooks';
import { forms, type Input, type Member } from './forms';
import { Tags } from '../side';
import { useHome } from '../../ui/context';
import { Dialog, Field, Wrong } from '../../ui/parts';
import type { Kind } from '../../state/definitions';
import type { Home } from '../../state/home';
import { toast } from '../../state/toasts';
import { ulid } from '../../wire/bytes';
import { reasonOf, t } from '../../text/text';
import { FieldAccess, FieldKind, Priority, TicketState } from '@schema';

type DefinitionKind = Exclude<Kind, 'view'>;
type Values = Record<string, unknown>;

function options(home: Home, of: Extract<Input, { is: 'one' }>['of']): (readonly [string, string])[] {
  switch (of) {
    case 'state':
      return TicketState.map((s) => [s, t(`state.${s}`)]);
    case 'priority':
      return Priority.map((p) => [p, t(`priority.${p}`)]);
    case 'field_kind':
      return FieldKind.map((k) => [k, t(`admin.kind.${k}`)]);
    case 'field_access':
      return FieldAccess.map((a) => [a, t(`admin.access.${a}`)]);
    case 'assign':
      return [['me', t('admin.assign.me')], ['nobody', t('ticket.nobody')]];
    case 'person':
      return home.people.all.value.filter(({ role, active }) => role !== 'customer' && active).map(({ id, name }) => [id, name]);
    default:
      return home.definitions.usable(of).map((d) => [(d as unknown as Record<string, string>)[of]!, d.name]);
  }
}

function toggled<T>(list: readonly T[], one: T, on: boolean): T[] {
  return on ? [...list.filter((x) => x !== one), one] : list.filter((x) => x !== one);
}

function MemberInput({ member, value, fixed, onChange }: { member: Member; value: unknown; fixed: boolean; onChange: (value: unknown) => void }) {
  const home = useHome();
  const { input } = member;
  const label = t(member.text);
  const hint = member.hint && t(member.hint);
  const list = (value ?? []) as string[];
  const checks = (all: (readonly [string, string])[]) => (
    <fieldset class="field checks">
      <legend class="label">{label}</legend>
      {all.map(([id, name]) => (
        <label key={id} class="check">
          <input type="checkbox" checked={list.includes(id)} onChange={(e) => onChange(toggled(list, id, e.currentTarget.checked))} />
          {name}
        </label>
      ))}
    </fieldset>
  );
  switch (input.is) {
    case 'bool':
      return (
        <label class="check">
          <input type="checkbox" checked={!!value} onChange={(e) => onChange(e.currentTarget.checked)} />
          {label}
        </label>
      );
    case 'states':
      return checks(options(home, 'state'));
    case 'staff':
      return checks(options(home, 'person'));
    case 'tags':
      return (
        <div class="field">
          <span>{label}</span>
          <Tags tags={list} onAdd={(tag) => onChange([...list, tag])} onRemove={(tag) => onChange(list.filter((x) => x !== tag))} />
        </div>
      );
    case 'one':
      return (
        <Field label={label} hint={hint}>
          <select value={(value as string | undefined) ?? ''} disabled={fixed} onChange={(e) => onChange(e.currentTarget.value || undefined)}>
            {input.optional && <option value="">—</option>}
            {options(home, input.of).map(([id, name]) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </Field>
      );
    case 'lines':
      return (
        <Field label={label} hint={hint}>
          <textarea rows={4} value={list.join('\n')} onInput={(e) => onChange(e.currentTarget.value.split('\n').map((line) => line.slice(0, input.max)))} />
        </Field>
      );
    case 'words':
      return (
        <Field label={label} hint={hint}>
          <textarea rows={6} maxLength={input.max} value={(value as string | undefined) ?? ''} onInput={(e) => onChange(e.currentTarget.value || undefined)} />
        </Field>
      );
    default:
      return (
        <Field label={label} hint={hint}>
          <input maxLength={input.max} disabled={fixed} value={(value as string | undefined) ?? ''} onInput={(e) => onChange(e.currentTarget.value)} />
        </Field>
      );
  }
}

/** What a new one has where its form says nothing. */
function initial(kind: DefinitionKind): Values {
  return kind === 'field' ? { kind: 'text', access: 'write' } : kind === 'label' ? { state: 'pending' } : {};
}

function Editor({ kind, definition, onClose }: { kind: DefinitionKind; definition: Values | undefined; onClose: () => void }) {
  const home = useHome();
  const members = forms[kind];
  const [values, setValues] = useState<Values>(definition ?? initial(kind));
  const [wrong, setWrong] = useState<string>();
  const save = async (retired: boolean) => {
    setWrong(undefined);
    const params: Values = { retired, op_id: ulid(), ...(definition && { [kind]: definition[kind] }) };
    for (const { name, input } of members) {
      const value = input.is === 'lines' ? ((values[name] ?? []) as string[]).map((line) => line.trim()).filter(Boolean) : values[name];
      if (value !== undefined) params[name] = value;
    }
    if (kind === 'team') params.members ??= [];
    try {
      await home.rpc.call(`${kind}.save` as 'label.save', params as never);
      toast(t('app.saved'));
      onClose();
    } catch (e) {
      setWrong(reasonOf(e));
    }
  };
  const retired = !!definition?.retired;
  return (
    <Dialog title={definition ? String(definition.name) : t('admin.add')} wide onClose={onClose}
      foot={
        <>
          {definition && (
            <button class="button" onClick={() => void save(!retired)}>
              {t(retired ? 'admin.unretire' : 'admin.retire')}
            </button>
          )}
          <button class="button main" disabled={!String(values.name ?? '').trim()} onClick={() => void save(retired)}>
            {t('app.save')}
          </button>
        </>
      }>
      {members.map((member) => (
        <MemberInput key={member.name} member={member} value={values[member.name]} fixed={!!definition && !!member.fixed}
          onChange={(value) => setValues({ ...values, [member.name]: value })} />
      ))}
      <Wrong text={wrong} />
    </Dialog>
  );
}

function summary(home: Home, { name: member, input }: Member, value: unknown): string {
  if (value === undefined || value === '' || member === 'name') return '';
  if (input.is === 'bool') return value ? t('app.is_so') : '';
  if (input.is === 'staff') return (value as string[]).map((id) => home.people.name(id)).join(', ');
  if (input.is === 'states') return (value as TicketState[]).map((s) => t(`state.${s}`)).join(', ');
  if (Array.isArray(value)) return value.join(', ');
  if (input.is === 'one') return options(home, input.of).find(([id]) => id === value)?.[1] ?? '';
  return String(value);
}

export function DefinitionSection({ kind }: { kind: DefinitionKind }) {
  const home = useHome();
  const [open, setOpen] = useState<Values | 'new' | undefined>();
  const list = home.definitions.list(kind) as unknown as Values[];
  return (
    <section class="card">
      <div class="row">
        <span class="grow soft">{t(`admin.about.${kind}`)}</span>
        <button class="button main" onClick={() => setOpen('new')}>
          {t('admin.add')}
        </button>
      </div>
      {list.length === 0 && <p class="soft">{t('admin.none')}</p>}
      <ul class="stack">
        {list.map((definition) => {
          const said = forms[kind].map((member) => [t(member.text), summary(home, member, definition[member.name])] as const).filter(([, text]) => text);
          return (
            <li key={String(definition[kind])} class="row definition">
              <div class="grow">
                <strong>{String(definition.name)}</strong> {!!definition.retired && <span class="pill">{t('admin.retired')}</span>}
                <div class="small soft">
                  {said.map(([label, text]) => (
                    <span key={label} class="said">
                      {label}: {text}
                    </span>
                  ))}
                </div>
              </div>
              <button class="button small" aria-label={`${t('thread.edit')}: ${String(definition.name)}`} onClick={() => setOpen(definition)}>
                {t('thread.edit')}
              </button>
            </li>
          );
        })}
      </ul>
      {open && <Editor kind={kind} definition={open === 'new' ? undefined : open} onClose={() => setOpen(undefined)} />}
    </section>
  );
}
