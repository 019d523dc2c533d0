/* The user's own: how the page looks, and which devices are theirs. */
import { useEffect, useState } from 'preact/hooks';
import { useDesk, useHome } from '../ui/context';
import { confirmed } from '../ui/confirm';
import { Field, Table, When } from '../ui/parts';
import { act } from '../state/actions';
import { toast } from '../state/toasts';
import { density, language, theme, type Theme } from '../state/settings';
import { ignoreFailure } from '../wire/failure';
import { languages, relative, t } from '../text/text';
import type { Device } from '@schema';

export function DeviceTable({ devices, onChange }: { devices: readonly Device[]; onChange: () => void }) {
  const home = useHome();
  const revoke = async ({ id, label }: Device) => {
    if (!(await confirmed(t('settings.revoke_ask', { label })))) return;
    await act(home, 'device.revoke', { device: id });
    onChange();
  };
  return (
    <Table label={t('settings.devices')}>
      {devices.map((device) => (
        <tr key={device.id}>
          <td>
            <strong>{device.label}</strong>
            <div class="small soft">{device.address}</div>
          </td>
          <td class="small soft">{t('settings.bound', { time: relative(device.bound_at) })}</td>
          <td class="small soft">{device.seen_at ? t('settings.seen', { time: relative(device.seen_at) }) : ''}</td>
          <td>
            {device.revoked_at ? (
              <span class="pill">
                <When at={device.revoked_at} />
              </span>
            ) : (
              <button class="button small danger" onClick={() => void revoke(device)}>
                {t('settings.revoke')}
              </button>
            )}
          </td>
        </tr>
      ))}
    </Table>
  );
}

export function Settings() {
  const home = useHome();
  const desk = useDesk();
  const [devices, setDevices] = useState<readonly Device[]>([]);
  const [status, setStatus] = useState(home.people.online.peek().get(home.me.user)?.status ?? '');
  const fetch = () =>
    home.rpc.call('device.list', {}).then(
      ({ items }) => setDevices(items.filter(({ revoked_at }) => !revoked_at)),
      ignoreFailure,
    );
  useEffect(() => void fetch(), [home.devices.value]);
  return (
    <div class="page-body">
      <h1>{t('settings.title')}</h1>
      <section class="card">
        <div class="columns">
          <Field label={t('settings.theme')}>
            <select value={theme.value} onChange={(e) => (theme.value = e.currentTarget.value as Theme)}>
              {(['system', 'light', 'dark'] as const).map((name) => (
                <option key={name} value={name}>
                  {t(`settings.theme.${name}`)}
                </option>
              ))}
            </select>
          </Field>
          <Field label={t('settings.language')}>
            <select value={language.value} onChange={(e) => (language.value = e.currentTarget.value)}>
              <option value="">{t('settings.language.auto')}</option>
              {Object.entries(languages).map(([id, name]) => (
                <option key={id} value={id} lang={id}>
                  {name}
                </option>
              ))}
            </select>
          </Field>
          <Field label={t('settings.density')}>
            <select value={density.value} onChange={(e) => (density.value = e.currentTarget.value as 'roomy' | 'dense')}>
              {(['roomy', 'dense'] as const).map((name) => (
                <option key={name} value={name}>
                  {t(`settings.density.${name}`)}
                </option>
              ))}
            </select>
          </Field>
        </div>
        <form
          onSubmit={(e) => {
            e.preventDefault();
            void home.presence.status(status).then(() => toast(t('app.saved')));
          }}>
          <Field label={t('settings.status')} hint={t('settings.status_hint')}>
            <div class="row">
              <input maxLength={80} value={status} onInput={(e) => setStatus(e.currentTarget.value)} />
              <button class="button">{t('app.save')}</button>
            </div>
          </Field>
        </form>
      </section>
      <section class="card">
        <h2>{t('settings.devices')}</h2>
        <DeviceTable devices={devices} onChange={() => void fetch()} />
        <div>
          <button class="button danger"
            onClick={async () => {
              if (await confirmed(t('settings.forget_ask'))) await desk.forget();
            }}>
            {t('nav.sign_out')}
          </button>
        </div>
      </section>
    </div>
  );
}
