/* Filters that are kept under a name. */
import { useState } from 'preact/hooks';
import { onlyFilters } from './listing';
import { useHome } from '../ui/context';
import { Dialog, Field } from '../ui/parts';
import { go } from '../ui/router';
import { toast } from '../state/toasts';
import { ulid } from '../wire/bytes';
import { reasonOf, t } from '../text/text';
import { ViewOrder, type View } from '@schema';

export function ViewDialog({ view: id, query, onClose }: { view: string; query: string; onClose: () => void }) {
  const home = useHome();
  const known = home.definitions.find('view', id || undefined);
  const [view, setView] = useState<Pick<View, 'name' | 'query' | 'order' | 'shared'>>(
    known ?? { name: '', query: onlyFilters(query) ? query : '', order: 'changed', shared: false },
  );
  const [wrong, setWrong] = useState<string>();
  const writable = !known?.shared || home.admin;
  const save = async (retired: boolean) => {
    setWrong(undefined);
    const { name, query: filters, order, shared } = view;
    try {
      const { view: saved } = await home.rpc.call('view.save', {
        ...(known && { view: known.view, columns: known.columns }),
        name: name.trim(),
        query: filters.trim(),
        order,
        shared,
        retired,
        op_id: ulid(),
      });
      toast(t('view.saved'));
      onClose();
      go(retired ? '/' : `/?v=${saved.view}`);
    } catch (e) {
      setWrong(reasonOf(e));
    }
  };
  return (
    <Dialog title={t(known ? 'view.edit' : 'nav.new_view')} onClose={onClose}
      foot={
        <>
          {known && writable && (
            <button class="button danger" onClick={() => void save(true)}>
              {t('view.retire')}
            </button>
          )}
          <button class="button main" disabled={!writable || !view.name.trim() || !view.query.trim()} onClick={() => void save(false)}>
            {t('app.save')}
          </button>
        </>
      }>
      <Field label={t('view.name')}>
        <input autofocus maxLength={80} value={view.name} onInput={(e) => setView({ ...view, name: e.currentTarget.value })} />
      </Field>
      <Field label={t('view.query')} hint={t('view.query_hint')} wrong={wrong}>
        <input maxLength={400} value={view.query} spellcheck={false} onInput={(e) => setView({ ...view, query: e.currentTarget.value })} />
      </Field>
      <Field label={t('list.sort')}>
        <select value={view.order} onChange={(e) => setView({ ...view, order: e.currentTarget.value as View['order'] })}>
          {ViewOrder.map((order) => (
            <option key={order} value={order}>
              {t(`list.order.${order}`)}
            </option>
          ))}
        </select>
      </Field>
      {home.admin && (
        <label class="check">
          <input type="checkbox" checked={view.shared} disabled={!!known} onChange={(e) => setView({ ...view, shared: e.currentTarget.checked })} />
          {t('view.shared')}
        </label>
      )}
    </Dialog>
  );
}
