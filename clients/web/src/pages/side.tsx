/* What a ticket is about, beside its thread: for agents. */
import { useEffect, useState } from 'preact/hooks';
import { PersonPicker } from './person_picker';
import { useHome } from '../ui/context';
import { Icon } from '../ui/icon';
import { Face, IconButton, StatePill } from '../ui/parts';
import { act, setTicket } from '../state/actions';
import { ignoreFailure } from '../wire/failure';
import { t } from '../text/text';
import type { Field, Link, Similar, Ticket } from '@schema';

function Choice({ label, value, options, onChange }: {
  label: string;
  value: string | undefined;
  options: readonly (readonly [string, string])[];
  onChange: (value: string | null, name: string) => void;
}) {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value ?? ''} onChange={(e) => onChange(e.currentTarget.value || null, e.currentTarget.selectedOptions[0]?.text ?? '')}>
        <option value="">{t('app.none')}</option>
        {options.map(([id, name]) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

export function Tags({ tags, onAdd, onRemove }: { tags: readonly string[]; onAdd: (tag: string) => void; onRemove: (tag: string) => void }) {
  const [typed, setTyped] = useState('');
  const add = () => {
    const tag = typed.trim();
    setTyped('');
    if (tag && !tag.includes(',') && !tags.includes(tag)) onAdd(tag);
  };
  return (
    <>
      <div class="row wrap">
        {tags.map((tag) => (
          <span key={tag} class="tag">
            {tag}
            <button type="button" aria-label={t('ticket.remove_tag', { tag })} onClick={() => onRemove(tag)}>
              <Icon name="close" small />
            </button>
          </span>
        ))}
      </div>
      <input aria-label={t('ticket.add_tag')} placeholder={t('ticket.add_tag')} maxLength={40} value={typed} onInput={(e) => setTyped(e.currentTarget.value)} onBlur={add}
        onKeyDown={(e) => {
          if (e.key !== 'Enter' && e.key !== ',') return;
          e.preventDefault();
          add();
        }} />
    </>
  );
}

function TypedInput({ field, value, set }: { field: Field; value: string | undefined; set: (e: { currentTarget: HTMLInputElement }) => void }) {
  if (field.kind === 'date') return <input type="date" defaultValue={value} onBlur={set} />;
  return (
    <input inputMode={field.kind === 'number' ? 'decimal' : 'text'} maxLength={1000} defaultValue={value} onBlur={set}
      onKeyDown={(e) => e.key === 'Enter' && (e.preventDefault(), set(e))} />
  );
}

export function FieldInput({ field, value, onChange }: { field: Field; value: string | undefined; onChange: (value: string | null) => void }) {
  const set = (e: { currentTarget: HTMLInputElement | HTMLSelectElement }) => {
    const typed = e.currentTarget.value.trim();
    if (typed !== (value ?? '')) onChange(typed || null);
  };
  const choices = field.kind === 'choice' ? field.choices : field.kind === 'bool' ? ['true', 'false'] : undefined;
  return (
    <label class="field">
      <span>{field.name}</span>
      {choices ? (
        <select value={value ?? ''} onChange={set}>
          <option value="">{t('app.none')}</option>
          {(value && !choices.includes(value) ? [value, ...choices] : choices).map((choice) => (
            <option key={choice} value={choice}>
              {field.kind === 'bool' ? t(choice === 'true' ? 'app.is_so' : 'app.is_not') : choice}
            </option>
          ))}
        </select>
      ) : (
        <TypedInput key={value} field={field} value={value} set={set} />
      )}
    </label>
  );
}

function Links({ ticket }: { ticket: Ticket }) {
  const home = useHome();
  const [links, setLinks] = useState<readonly Link[]>([]);
  const [similar, setSimilar] = useState<readonly Similar[]>([]);
  useEffect(() => {
    let there = true;
    home.rpc.call('link.list', { ticket: ticket.id }).then((got) => there && setLinks(got.links), ignoreFailure);
    home.rpc.call('ticket.similar', { ticket: ticket.id }).then((got) => there && setSimilar(got.items), ignoreFailure);
    return () => void (there = false);
  }, [ticket.id, home.linked.value, home.offline.value]);
  const remove = async ({ kind, ticket: other }: Link) => {
    const got = await act(home, 'link.remove', { ticket: ticket.id, kind, other });
    if (got) setLinks(got.links);
  };
  return (
    <>
      {links.length > 0 && (
        <section>
          <h2>{t('ticket.links')}</h2>
          <ul class="stack">
            {links.map((link) => (
              <li key={link.kind + link.ticket} class="row">
                <div class="grow">
                  <div class="small soft">{t(`link.${link.kind}`)}</div>
                  <a href={`/t/${link.number}`}>
                    #{link.number} {link.subject}
                  </a>
                </div>
                <StatePill state={link.state} />
                {!link.kind.startsWith('follow') && <IconButton icon="close" small label={t('ticket.unlink', { number: String(link.number) })} onClick={() => void remove(link)} />}
              </li>
            ))}
          </ul>
        </section>
      )}
      {similar.length > 0 && (
        <section>
          <h2>{t('ticket.similar')}</h2>
          <ul class="stack">
            {similar.map(({ ticket: other, shared }) => (
              <li key={other.id}>
                <a href={`/t/${other.number}`}>
                  #{other.number} {other.subject}
                </a>
                <div class="small soft clip">{shared.join(', ')}</div>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

export function Side({ ticket }: { ticket: Ticket }) {
  const home = useHome();
  const { definitions, people } = home;
  const set = (change: Parameters<typeof setTicket>[2], what: string) => void setTicket(home, ticket, change, what);
  const fields = definitions.list('field').filter(({ retired, field }) => !retired || ticket.fields.some((f) => f.field === field));
  const named = <T extends { name: string }>(list: T[], id: (d: T) => string) => list.map((d) => [id(d), d.name] as const);
  return (
    <>
      <section>
        <h2>{t('ticket.requester')}</h2>
        <div class="row">
          <Face user={ticket.requester} named />
          <div class="grow">
            <div>{people.name(ticket.requester)}</div>
            <a class="small" href={`/?q=${encodeURIComponent(`requester:${ticket.requester}`)}`}>
              {t('ticket.other_tickets')}
            </a>
          </div>
        </div>
      </section>
      <section>
        <Choice label={t('ticket.type')} value={ticket.type} options={named(definitions.usable('type'), (d) => d.type)} onChange={(type, name) => set({ type }, name)} />
        <Choice label={t('ticket.team')} value={ticket.team} options={named(definitions.usable('team'), (d) => d.team)} onChange={(team, name) => set({ team }, name)} />
      </section>
      <section>
        <h2>{t('ticket.tags')}</h2>
        <Tags tags={ticket.tags} onAdd={(tag) => set({ add_tags: [tag] }, `+${tag}`)} onRemove={(tag) => set({ remove_tags: [tag] }, `−${tag}`)} />
      </section>
      {fields.length > 0 && (
        <section>
          <h2>{t('ticket.fields')}</h2>
          {fields.map((field) => (
            <FieldInput key={field.field} field={field} value={ticket.fields.find((f) => f.field === field.field)?.value}
              onChange={(value) => set({ fields: [{ field: field.field, value }] }, field.name)} />
          ))}
        </section>
      )}
      <section>
        <h2>{t('ticket.watchers')}</h2>
        {ticket.watchers.map((user) => (
          <div key={user} class="row">
            <Face user={user} small named />
            <span class="grow">{people.name(user)}</span>
            <IconButton icon="close" small label={`${t('app.remove')}: ${people.name(user)}`} onClick={() => set({ remove_watchers: [user] }, t('ticket.watchers'))} />
          </div>
        ))}
        <PersonPicker label={t('ticket.add_watcher')} without={ticket.watchers} onPick={(user) => user && set({ add_watchers: [user] }, t('ticket.watchers'))} />
      </section>
      <Links ticket={ticket} />
    </>
  );
}
