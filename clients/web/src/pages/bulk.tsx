/* One change for many tickets: what it would do first, then all of it as one command with one way back. */
import { useState } from 'preact/hooks';
import { useHome } from '../ui/context';
import { Dialog, Field, Wrong } from '../ui/parts';
import { act } from '../state/actions';
import { reasonOf, t } from '../text/text';
import { Priority, TicketState, type Methods } from '@schema';

type Preview = Methods['bulk.preview']['result'];
type Change = Pick<Methods['bulk.run']['params'], 'state' | 'priority' | 'assignee' | 'add_tags' | 'macro'>;

export function Bulk({ tickets, onClose }: { tickets: string[]; onClose: (changed: boolean) => void }) {
  const home = useHome();
  const [change, setChange] = useState<Change>({});
  const [preview, setPreview] = useState<Preview>();
  const [wrong, setWrong] = useState<string>();
  const set = (part: Partial<Record<keyof Change, unknown>>) => {
    setPreview(undefined);
    const next = { ...change, ...part } as Record<string, unknown>;
    for (const [name, value] of Object.entries(next)) if (value === undefined) delete next[name];
    setChange(next as Change);
  };
  const look = async () => {
    setWrong(undefined);
    try {
      setPreview(await home.rpc.call('bulk.preview', { tickets, ...change }));
    } catch (e) {
      setWrong(reasonOf(e));
    }
  };
  const run = async () => {
    if (!preview) return;
    const done = await act(home, 'bulk.run', { tickets, seen: preview.seen, ...change }, ({ changed }) => t('bulk.done', { n: changed.length }));
    if (done) onClose(true);
  };
  const choice = (label: string, name: keyof Change, options: readonly (readonly [string, string])[], empty?: string) => (
    <Field label={label}>
      <select value={name in change ? String(change[name] ?? '-') : ''}
        onChange={(e) => {
          const { value } = e.currentTarget;
          set({ [name]: value === '' ? undefined : value === '-' ? null : value });
        }}>
        <option value="">—</option>
        {empty && <option value="-">{empty}</option>}
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </Field>
  );
  const macros = home.definitions.usable('macro');
  const staff = home.people.all.value.filter(({ role, active }) => role !== 'customer' && active);
  return (
    <Dialog title={t('bulk.title', { n: tickets.length })} wide onClose={() => onClose(false)}
      foot={
        <>
          <button class="button" onClick={() => onClose(false)}>
            {t('app.cancel')}
          </button>
          {preview ? (
            <button class="button main" disabled={!preview.changed} onClick={() => void run()}>
              {t('bulk.run')}
            </button>
          ) : (
            <button class="button main" disabled={!Object.keys(change).length} onClick={() => void look()}>
              {t('bulk.preview')}
            </button>
          )}
        </>
      }>
      <div class="columns">
        {macros.length > 0 && choice(t('bulk.macro'), 'macro', macros.map(({ macro, name }) => [macro, name]))}
        {choice(t('bulk.state'), 'state', TicketState.map((state) => [state, t(`state.${state}`)]))}
        {choice(t('bulk.priority'), 'priority', Priority.map((priority) => [priority, t(`priority.${priority}`)]))}
        {choice(t('bulk.assignee'), 'assignee', staff.map(({ id, name }) => [id, name]), t('ticket.nobody'))}
        <Field label={t('bulk.add_tag')}>
          <input maxLength={40} value={change.add_tags?.[0] ?? ''} onInput={(e) => set({ add_tags: e.currentTarget.value.trim() ? [e.currentTarget.value.trim()] : undefined })} />
        </Field>
      </div>
      <Wrong text={wrong} />
      {preview && (
        <>
          <p role="status">
            <strong>{t('bulk.would', { n: preview.changed })}</strong>
          </p>
          <ul class="stack">
            {preview.items.map(({ ticket, number, subject, changes, skipped }) => (
              <li key={ticket}>
                #{number} {subject}
                <div class="small soft">{skipped ? t('bulk.skipped', { reason: skipped }) : changes.join(', ') || '—'}</div>
              </li>
            ))}
          </ul>
        </>
      )}
    </Dialog>
  );
}
