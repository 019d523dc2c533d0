/* How the desk's services do, now and in the last hour. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Chart } from './chart';
import { useHome } from '../../ui/context';
import { Icon } from '../../ui/icon';
import { Empty, When } from '../../ui/parts';
import { isFailure } from '../../wire/failure';
import { bytes, number, relative, t } from '../../text/text';
import { callsIn, failedPart, latencies, minutesOf, quantile, valueOf } from './figures';
import type { ProcessStats } from '@schema';

const ASK_MS = 5_000;
const METHODS = ['store.stats', 'identity.stats', 'fanout.stats'] as const;
const NAMES = ['store', 'identity', 'fanout'];
/** What a service that was asked and did not answer is shown as. */
const silent = (service: string): ProcessStats => ({ service, instance: '', up: false, version: '', started_at: 0, told_at: 0, status: '', figures: [] });

function useProcesses(): readonly ProcessStats[] | undefined {
  const home = useHome();
  const [processes, setProcesses] = useState<readonly ProcessStats[]>();
  useEffect(() => {
    let there = true;
    const ask = async () => {
      const answers = await Promise.allSettled(METHODS.map((method) => home.rpc.call(method, {}, { again: 0 })));
      if (!there) return;
      setProcesses(
        answers.flatMap((answer, i) => {
          if (answer.status === 'fulfilled') return answer.value.processes;
          if (!isFailure(answer.reason)) throw answer.reason;
          return [silent(NAMES[i]!)];
        }),
      );
    };
    void ask();
    const timer = setInterval(() => document.visibilityState === 'visible' && void ask(), ASK_MS);
    return () => {
      there = false;
      clearInterval(timer);
    };
  }, []);
  return processes;
}

const ms = (us: number | undefined): string => (us === undefined ? '–' : us < 1_000 ? `${Math.round(us)} µs` : us < 1e6 ? `${(us / 1e3).toFixed(1)} ms` : `${(us / 1e6).toFixed(1)} s`);
const percent = (part: number): string => `${(100 * part).toFixed(part && part < 0.1 ? 2 : 0)} %`;
const nameOf = ({ service, instance }: ProcessStats): string => (instance ? `${service}@${instance}` : service);

function Fact({ name, value }: { name: string; value: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Process({ process }: { process: ProcessStats }) {
  const name = nameOf(process);
  if (!process.up)
    return (
      <section class="card" aria-label={name}>
        <div class="row">
          <Icon name="warning" />
          <h2 class="grow">{name}</h2>
          <span class="pill urgent">{t('ops.down')}</span>
        </div>
        <p class="soft">{t('ops.down_text')}</p>
      </section>
    );
  const minutes = minutesOf(process);
  const hour = callsIn(minutes);
  const memory = valueOf(process, 'process_resident_memory_bytes');
  const times = minutes.map(({ at }) => at);
  return (
    <section class="card" aria-label={name}>
      <div class="row">
        <h2 class="grow">{name}</h2>
        <span class="small soft">
          <When at={process.told_at} />
        </span>
        <span class="pill open">{t('ops.up')}</span>
      </div>
      {process.status && <p>{process.status}</p>}
      <dl class="figures">
        <Fact name={t('ops.version')} value={process.version} />
        <Fact name={t('ops.since')} value={relative(process.started_at)} />
        <Fact name={t('ops.calls_hour')} value={number(hour.calls)} />
        <Fact name={t('ops.failed')} value={percent(hour.calls ? hour.failed / hour.calls : 0)} />
        <Fact name={t('ops.p95')} value={ms(quantile(latencies(minutes), process.past?.bounds ?? [], 0.95))} />
        {process.past?.waits && <Fact name={t('ops.waiting')} value={String(minutes.at(-1)?.waiting ?? 0)} />}
        {memory !== undefined && <Fact name={t('ops.memory')} value={bytes(memory)} />}
      </dl>
      {minutes.length > 0 && (
        <div class="charts">
          <Chart title={t('ops.calls')} times={times} values={minutes.map((m) => (m.ms ? (m.calls * 60_000) / m.ms : 0))} least={10} show={(v) => v.toFixed(0)} />
          <Chart title={t('ops.failed')} times={times} values={minutes.map(failedPart)} least={0.01} show={percent} tone="danger" />
          <Chart title={t('ops.p95')} times={times} values={minutes.map((m) => quantile(m.took, process.past?.bounds ?? [], 0.95) ?? null)} least={1_000} show={ms} />
          {process.past?.waits && <Chart title={t('ops.waiting')} times={times} values={minutes.map((m) => m.waiting)} least={4} show={(v) => v.toFixed(0)} />}
        </div>
      )}
    </section>
  );
}

const SIZES = [
  ['store', 'log_head', 'ops.ops', number],
  ['store', 'tickets', 'ops.tickets', number],
  ['store', 'database_bytes', 'ops.database', bytes],
  ['store', 'database_wal_bytes', 'ops.wal', bytes],
  ['store', 'blob_bytes', 'ops.blobs', bytes],
  ['store', 'disk_free_bytes', 'ops.disk_free', bytes],
  ['identity', 'users', 'ops.users', number],
  ['identity', 'devices', 'ops.devices', number],
  ['identity', 'outbox_waiting', 'ops.mails', number],
  ['fanout', 'sessions', 'ops.sessions', number],
] as const;

const OLD_MS = 2 * 24 * 60 * 60 * 1000; // a day's was missed

function Backups({ store }: { store: ProcessStats | undefined }) {
  const at = 1000 * (valueOf(store, 'backup_timestamp_seconds') ?? 0);
  if (!store?.up) return null;
  const danger = !at ? t('ops.backup_none') : store.told_at - at > OLD_MS ? t('ops.backup_old') : undefined;
  return (
    <section class="card">
      <h2>{t('ops.backups')}</h2>
      {danger && (
        <p class="notice danger">
          <Icon name="warning" />
          {danger}
        </p>
      )}
      {at > 0 && (
        <dl class="figures">
          <Fact name={t('ops.backup_last')} value={<When at={at} />} />
          <Fact name={t('ops.backup_size')} value={bytes(valueOf(store, 'backup_bytes') ?? 0)} />
        </dl>
      )}
    </section>
  );
}

export function Operations() {
  const processes = useProcesses();
  if (!processes) return <p class="empty" role="status">{t('app.loading')}</p>;
  const find = (service: string) => processes.find((p) => p.service === service);
  const down = processes.filter(({ up }) => !up);
  const overlay = processes.find(({ service }) => service.endsWith('supervisor'));
  return (
    <div class="page-body">
      <h1>{t('nav.operations')}</h1>
      {processes.length === 0 ? (
        <Empty icon="chart" title={t('app.unreachable')} />
      ) : (
        <p class={`notice ${down.length ? 'danger' : 'good'}`} role="status">
          <Icon name={down.length ? 'warning' : 'check'} />
          {down.length ? t('ops.some_down', { n: down.length, names: down.map(nameOf).join(', ') }) : t('ops.all_up', { n: processes.length })}
        </p>
      )}
      <section class="card">
        <h2>{t('ops.sizes')}</h2>
        <dl class="figures">
          {SIZES.map(([service, figure, text, show]) => {
            const value = valueOf(find(service), figure);
            return value === undefined ? null : <Fact key={figure} name={t(text)} value={show(value)} />;
          })}
          {overlay?.up && <Fact name={t('ops.overlay')} value={overlay.status} />}
        </dl>
      </section>
      <Backups store={find('store')} />
      {processes.map((process) => (
        <Process key={nameOf(process)} process={process} />
      ))}
    </div>
  );
}
