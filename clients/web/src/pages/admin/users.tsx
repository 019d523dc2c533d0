/* Who is let in, as whom, and with which devices. */
import { useEffect, useState } from 'preact/hooks';
import { useHome } from '../../ui/context';
import { usePages } from '../../ui/pages';
import { confirmed } from '../../ui/confirm';
import { Dialog, Face, Field, Table, Wrong } from '../../ui/parts';
import { DeviceTable } from '../settings';
import { act } from '../../state/actions';
import { toast } from '../../state/toasts';
import { ignoreFailure } from '../../wire/failure';
import { ulid } from '../../wire/bytes';
import { reasonOf, t } from '../../text/text';
import { Role, type Device, type User } from '@schema';

function UserDialog({ user, onClose }: { user: User | undefined; onClose: (changed: boolean) => void }) {
  const home = useHome();
  const [name, setName] = useState(user?.name ?? '');
  const [email, setEmail] = useState(user?.email ?? '');
  const [role, setRole] = useState<Role>(user?.role ?? 'customer');
  const [devices, setDevices] = useState<readonly Device[]>([]);
  const [wrong, setWrong] = useState<string>();
  const fetch = () =>
    user &&
    home.rpc.call('device.list', { user: user.id }).then(
      ({ items }) => setDevices(items),
      ignoreFailure,
    );
  useEffect(() => void fetch(), [user?.id]);
  const save = async () => {
    setWrong(undefined);
    try {
      if (user) await home.rpc.call('user.set', { user: user.id, name, email, role, op_id: ulid() });
      else await home.rpc.call('user.add', { name, email, role, op_id: ulid() });
      toast(t('app.saved'));
      onClose(true);
    } catch (e) {
      setWrong(reasonOf(e));
    }
  };
  const setActive = async (active: boolean) => {
    if (!active && !(await confirmed(t('admin.disable_ask', { name: user!.name })))) return;
    if (await act(home, 'user.disable', { user: user!.id, active })) onClose(true);
  };
  return (
    <Dialog title={user ? user.name : t('admin.add_user')} wide={!!user} onClose={() => onClose(false)}
      foot={
        <>
          {user && (
            <button class={`button${user.active ? ' danger' : ''}`} onClick={() => void setActive(!user.active)}>
              {t(user.active ? 'admin.disable' : 'admin.enable')}
            </button>
          )}
          <button class="button main" disabled={!name.trim() || !email.trim()} onClick={() => void save()}>
            {t('app.save')}
          </button>
        </>
      }>
      <div class="columns">
        <Field label={t('admin.name')}>
          <input autofocus maxLength={80} value={name} onInput={(e) => setName(e.currentTarget.value)} />
        </Field>
        <Field label={t('bind.email')}>
          <input type="email" maxLength={254} value={email} onInput={(e) => setEmail(e.currentTarget.value)} />
        </Field>
        <Field label={t('admin.role')}>
          <select value={role} onChange={(e) => setRole(e.currentTarget.value as Role)}>
            {Role.map((r) => (
              <option key={r} value={r}>
                {t(`role.${r}`)}
              </option>
            ))}
          </select>
        </Field>
      </div>
      <Wrong text={wrong} />
      {devices.length > 0 && (
        <>
          <h3>{t('admin.devices')}</h3>
          <DeviceTable devices={devices} onChange={() => void fetch()} />
        </>
      )}
    </Dialog>
  );
}

export function Users() {
  const home = useHome();
  const [filter, setFilter] = useState('');
  const [open, setOpen] = useState<User | 'new' | undefined>();
  const { items: users = [], wrong, again, more } = usePages<User>((after) => home.rpc.call('user.list', { limit: 200, ...(after && { after }) }), String(home.offline.value));
  const wanted = filter.toLowerCase();
  const shown = users.filter(({ name, email }) => name.toLowerCase().includes(wanted) || email.toLowerCase().includes(wanted));
  return (
    <section class="card">
      <div class="row">
        <input class="grow" type="search" aria-label={t('admin.find_user')} placeholder={t('admin.find_user')} value={filter} onInput={(e) => setFilter(e.currentTarget.value)} />
        <button class="button main" onClick={() => setOpen('new')}>
          {t('admin.add_user')}
        </button>
      </div>
      <Wrong text={wrong} />
      <Table label={t('admin.users')}
        heads={[t('admin.name'), t('admin.role'), <span key="edit" class="visually-hidden">{t('thread.edit')}</span>]}>
        {shown.map((user) => (
          <tr key={user.id}>
            <td>
              <span class="row">
                <Face user={user.id} small named />
                <span>
                  {user.name}
                  <span class="small soft address">{user.email}</span>
                </span>
              </span>
            </td>
            <td>
              <span class={`pill${user.role === 'admin' ? ' new' : user.role === 'agent' ? ' open' : ''}`}>{t(`role.${user.role}`)}</span>{' '}
              {!user.active && <span class="pill urgent">{t('admin.disabled')}</span>}
            </td>
            <td>
              <button class="button small" aria-label={`${t('thread.edit')}: ${user.name}`} onClick={() => setOpen(user)}>
                {t('thread.edit')}
              </button>
            </td>
          </tr>
        ))}
      </Table>
      {more}
      {open && (
        <UserDialog user={open === 'new' ? undefined : open}
          onClose={(changed) => {
            setOpen(undefined);
            if (changed) again();
          }} />
      )}
    </section>
  );
}
