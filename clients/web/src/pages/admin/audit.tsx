/* Who changed what, and who looked: with what was there before. */
import { useEffect, useState } from 'preact/hooks';
import { deed, useSaying } from '../history';
import { PersonPicker } from '../person_picker';
import { useHome } from '../../ui/context';
import { usePages } from '../../ui/pages';
import { Field, Table, When, Wrong } from '../../ui/parts';
import { code, isFailure } from '../../wire/failure';
import { reasonOf, shortTime, t } from '../../text/text';
import { AccessKind, type AccessRow, type AuditEntry, type StoreJob } from '@schema';

interface Filters {
  number?: number;
  actor?: string;
  from_at?: number;
  to_at?: number;
}

const DAY = 86_400_000;

function FilterBar({ filters, onChange }: { filters: Filters; onChange: (filters: Filters) => void }) {
  const day = (at: number | undefined): string => (at === undefined ? '' : new Date(at).toISOString().slice(0, 10));
  const set = (name: keyof Filters, value: string | number | undefined) => {
    const next = { ...filters, [name]: value };
    if (value === undefined || value === '' || Number.isNaN(value)) delete next[name];
    onChange(next);
  };
  return (
    <div class="columns">
      <Field label={t('admin.ticket_number')}>
        <input inputMode="numeric" value={filters.number ?? ''} onInput={(e) => set('number', /^[1-9][0-9]*$/.test(e.currentTarget.value) ? Number(e.currentTarget.value) : undefined)} />
      </Field>
      <div class="field">
        <span>{t('admin.who')}</span>
        <PersonPicker label={t('admin.who')} hint="—" value={filters.actor} onPick={(user) => set('actor', user)} />
      </div>
      <Field label={t('admin.from')}>
        <input type="date" value={day(filters.from_at)} onInput={(e) => set('from_at', Date.parse(e.currentTarget.value))} />
      </Field>
      <Field label={t('admin.to')}>
        <input type="date" value={day(filters.to_at && filters.to_at - DAY)} onInput={(e) => set('to_at', Date.parse(e.currentTarget.value) + DAY)} />
      </Field>
    </div>
  );
}

function Changes() {
  const home = useHome();
  const say = useSaying();
  const [filters, setFilters] = useState<Filters>({});
  const { items, wrong, more } = usePages<AuditEntry>((after) => home.rpc.call('audit.list', { ...filters, limit: 50, ...(after && { after }) }), JSON.stringify(filters));
  return (
    <section class="card">
      <h2>{t('admin.changes')}</h2>
      <FilterBar filters={filters} onChange={setFilters} />
      <Wrong text={wrong} />
      <Table label={t('admin.changes')} heads={[t('admin.when'), t('admin.who'), t('admin.what'), t('admin.before'), t('admin.after')]}>
        {items?.map((entry) => (
          <tr key={`${entry.op_id}/${entry.n}`}>
            <td class="small">
              <When at={entry.at} />
            </td>
            <td>
              {home.people.name(entry.actor) || t('admin.the_desk')}
              <div class="small soft">{entry.device}</div>
            </td>
            <td>
              {deed(entry.kind)} {entry.number && <a href={`/t/${entry.number}`}>#{entry.number}</a>}
              <div class="small soft">
                <code>{entry.kind}</code>
              </div>
            </td>
            <td class="small soft">
              <div class="clamp plain-words">{say(entry.before)}</div>
            </td>
            <td class="small">
              <div class="clamp plain-words">{say(entry.after)}</div>
            </td>
          </tr>
        ))}
      </Table>
      {items?.length === 0 && <p class="soft">{t('ticket.history_empty')}</p>}
      {more}
    </section>
  );
}

function Accesses() {
  const home = useHome();
  const [kind, setKind] = useState<AccessKind | ''>('');
  const { items, wrong, more } = usePages<AccessRow>((after) => home.rpc.call('audit.access', { limit: 50, ...(kind && { kind }), ...(after && { after }) }), kind);
  return (
    <section class="card">
      <div class="row">
        <h2 class="grow">{t('admin.accesses')}</h2>
        <select class="auto" aria-label={t('admin.accesses')} value={kind} onChange={(e) => setKind(e.currentTarget.value as AccessKind | '')}>
          <option value="">—</option>
          {AccessKind.map((k) => (
            <option key={k} value={k}>
              {t(`admin.access_kind.${k}`)}
            </option>
          ))}
        </select>
      </div>
      <Wrong text={wrong} />
      <Table label={t('admin.accesses')} heads={[t('admin.when'), t('admin.who'), t('admin.what'), t('admin.times')]}>
        {items?.map((row) => (
          <tr key={`${row.user}/${row.first_at}/${row.kind}/${row.method}/${row.ticket}`}>
            <td class="small">
              <When at={row.last_at} />
            </td>
            <td>
              {home.people.name(row.user)}
              <div class="small soft">{row.device}</div>
            </td>
            <td>
              <span class={`pill${row.kind === 'viewed' ? '' : ' urgent'}`}>{t(`admin.access_kind.${row.kind}`)}</span> <code class="small">{row.method}</code>{' '}
              {row.number && <a href={`/t/${row.number}`}>#{row.number}</a>}
            </td>
            <td>{row.count}</td>
          </tr>
        ))}
      </Table>
      {items?.length === 0 && <p class="soft">{t('admin.accesses_none')}</p>}
      {more}
    </section>
  );
}

const ASK_MS = 500;

/** The last check of the whole log, or the one under way, whoever began it. */
function Verify() {
  const home = useHome();
  const [job, setJob] = useState<StoreJob>();
  const [wrong, setWrong] = useState<string>();
  const fail = (e: unknown) => {
    if (!isFailure(e)) throw e;
    setJob(undefined);
    setWrong(e.code === code.notFound ? undefined : reasonOf(e));
  };
  const look = () => home.rpc.call('store.job_get', {}).then((now) => setJob(now.kind === 'verify' ? now : undefined), fail);
  const begin = () => {
    setWrong(undefined);
    home.rpc.call('store.verify', {}, { again: 0 }).then(setJob, fail);
  };
  useEffect(() => void look(), [home.offline.value]);
  const running = job?.state === 'running';
  useEffect(() => {
    if (!running) return undefined;
    const timer = setTimeout(() => void look(), ASK_MS);
    return () => clearTimeout(timer);
  }, [job]);
  const { verified } = job ?? {};
  return (
    <section class="card" aria-label={t('admin.verify')}>
      <div class="row">
        <h2 class="grow">{t('admin.verify')}</h2>
        <button class="button" disabled={running} onClick={begin}>
          {t('admin.verify_run')}
        </button>
      </div>
      <p class="soft">{t('admin.verify_text')}</p>
      <Wrong text={wrong} />
      {running && <progress max={Math.max(job.of_ops, 1)} value={job.ops} aria-label={t('admin.verify_running', { n: job.ops, of: job.of_ops })} />}
      <div role="status">
        {running && <p class="small soft">{t('admin.verify_running', { n: job.ops, of: job.of_ops })}</p>}
        {job?.ended_at !== undefined && !verified && <p class="notice warn">{t('admin.verify_ended', { reason: job.reason ?? '' })}</p>}
        {verified && (
          <p class={`notice ${verified.sound ? 'good' : 'danger'}`}>
            {t(verified.sound ? 'admin.verify_sound' : 'admin.verify_unsound', { n: verified.ops, time: shortTime(job!.ended_at!) })}{' '}
            {verified.signed_ops > 0 && t('admin.verify_signed', { signed: verified.signed_ops })}
          </p>
        )}
      </div>
      {verified && verified.problems.length > 0 && (
        <ul class="stack small plain-words">
          {verified.problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

export function Audit() {
  return (
    <>
      <Verify />
      <Changes />
      <Accesses />
    </>
  );
}
