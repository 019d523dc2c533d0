/* What the desk is called, and how it is known. */
import { useEffect, useState } from 'preact/hooks';
import { useHome } from '../../ui/context';
import { Field } from '../../ui/parts';
import { toast } from '../../state/toasts';
import { ignoreFailure } from '../../wire/failure';
import { ulid } from '../../wire/bytes';
import { reasonOf, t } from '../../text/text';
import type { Project as Info } from '@schema';

export function Project() {
  const home = useHome();
  const [info, setInfo] = useState<Info>();
  const [typed, setTyped] = useState<string>();
  const name = typed ?? info?.name ?? home.projectName.value;
  const [wrong, setWrong] = useState<string>();
  useEffect(() => {
    home.rpc.call('project.info', {}).then(setInfo, ignoreFailure);
  }, []);
  const save = async () => {
    setWrong(undefined);
    try {
      await home.rpc.call('project.set', { name: name.trim(), op_id: ulid() });
      toast(t('app.saved'));
    } catch (e) {
      setWrong(reasonOf(e));
    }
  };
  return (
    <form class="card"
      onSubmit={(e) => {
        e.preventDefault();
        void save();
      }}>
      <Field label={t('admin.project_name')} wrong={wrong}>
        <input required maxLength={80} value={name} onInput={(e) => setTyped(e.currentTarget.value)} />
      </Field>
      {info && (
        <dl class="facts">
          <dt>{t('admin.project_key')}</dt>
          <dd>
            <code class="small">{info.key}</code>
          </dd>
          <dt>{t('ops.version')}</dt>
          <dd>{info.version}</dd>
        </dl>
      )}
      <div>
        <button class="button main" disabled={!name.trim()}>
          {t('app.save')}
        </button>
      </div>
    </form>
  );
}
