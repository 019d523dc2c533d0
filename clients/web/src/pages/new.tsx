/* File a ticket. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { dropProps, UploadView, useFiles } from './composer';
import { PersonPicker } from './person_picker';
import { FieldInput } from './side';
import { useHome } from '../ui/context';
import { Icon } from '../ui/icon';
import { Field, IconButton, Wrong, focused } from '../ui/parts';
import { beside, go } from '../ui/router';
import { toast } from '../state/toasts';
import { reasonOf, t } from '../text/text';
import type { FieldValue, Ticket } from '@schema';

/* A ticket that is not filed yet has its draft by this name, in this browser alone. */
const KEY = 'new';
const SIMILAR_MS = 600;

export function NewTicket() {
  const home = useHome();
  const [subject, setSubject] = useState('');
  const [body, setBody] = useState('');
  const [files, setFiles] = useState<string[]>([]);
  const [requester, setRequester] = useState('');
  const [type, setType] = useState('');
  const [fields, setFields] = useState<readonly FieldValue[]>([]);
  const [wrong, setWrong] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [over, setOver] = useState(false);
  const [similar, setSimilar] = useState<readonly Ticket[]>([]);
  const restored = useRef(false);
  const picker = useRef<HTMLInputElement>(null);
  const { add, remove } = useFiles(files, setFiles);

  useEffect(() => {
    void home.cache.get('draft', KEY).then((kept) => {
      restored.current = true;
      if (!kept) return;
      const [first = '', ...rest] = kept.body.split('\n');
      setSubject((now) => now || first);
      setBody((now) => now || rest.join('\n'));
      setFiles([...kept.files]);
      kept.files.forEach((id) => void home.uploads.resume(id));
    });
  }, []);
  useEffect(() => {
    if (!restored.current) return;
    const kept = subject || body || files.length;
    void (kept
      ? home.cache.put('draft', { key: KEY, ticket: KEY, note: false, body: `${subject}\n${body}`, files, saved_at: Date.now() })
      : home.cache.remove('draft', KEY));
  }, [subject, body, files]);
  useEffect(() => {
    const words = subject.match(/[\p{L}\p{N}]{4,}/gu) ?? [];
    if (words.length < 2) return void setSimilar([]);
    const timer = setTimeout(() => {
      home.rpc.call('ticket.search', { query: words.slice(0, 6).join(' '), limit: 3 }).then(
        ({ items }) => setSimilar(items.map(({ ticket }) => ticket)),
        () => setSimilar([]),
      );
    }, SIMILAR_MS);
    return () => clearTimeout(timer);
  }, [subject]);

  const complete = files.every((id) => home.uploads.at(id)?.value.complete);
  const create = async () => {
    const attachments = home.uploads.done(files);
    if (!attachments) return;
    setBusy(true);
    setWrong(undefined);
    try {
      const ticket = await home.outbox.send('ticket.create', {
        subject: subject.trim(),
        body,
        ...(attachments.length && { attachments }),
        ...(requester && { requester }),
        ...(type && { type }),
        ...(fields.length && { fields: [...fields] }),
      });
      home.tickets.put(ticket);
      await home.cache.remove('draft', KEY);
      for (const id of files) void home.uploads.remove(id);
      toast(t('new.done', { number: String(ticket.number) }));
      go(beside(`/t/${ticket.number}`), { replace: true });
    } catch (e) {
      setWrong(reasonOf(e));
      setBusy(false);
    }
  };
  const shown = home.definitions.usable('field').filter(({ access }) => home.agent || access === 'write');
  const types = home.definitions.usable('type');
  return (
    <form class="page-body"
      onSubmit={(e) => {
        e.preventDefault();
        void create();
      }}>
      <div class="row">
        <a class="icon-button only-narrow" href={beside('/')} aria-label={t('app.back')}>
          <Icon name="back" />
        </a>
        <h1>{t('new.title')}</h1>
      </div>
      {home.agent && (
        <div class="field">
          <span>{t('new.requester')}</span>
          <PersonPicker label={t('new.requester')} hint={t('new.myself')} value={requester || undefined} onPick={(user) => setRequester(user ?? '')} />
        </div>
      )}
      <Field label={t('new.subject')}>
        <input ref={focused} required maxLength={200} value={subject} onInput={(e) => setSubject(e.currentTarget.value)} />
      </Field>
      {similar.length > 0 && (
        <div class="notice">
          <div class="grow">
            <strong class="small">{t('new.similar')}</strong>
            {similar.map(({ id, number, subject: other }) => (
              <div key={id}>
                <a href={beside(`/t/${number}`)}>
                  #{number} {other}
                </a>
              </div>
            ))}
          </div>
        </div>
      )}
      <div {...dropProps((list) => void add(list), over, setOver)}>
        <Field label={t('new.body')}>
          <textarea required rows={10} maxLength={65536} value={body} placeholder={t('compose.reply_hint')} onInput={(e) => setBody(e.currentTarget.value)} />
        </Field>
        <div class="files">
          {files.map((id) => (
            <UploadView key={id} id={id} onRemove={() => remove(id)} />
          ))}
          <input ref={picker} type="file" multiple hidden onChange={(e) => void add([...(e.currentTarget.files ?? [])])} />
          <IconButton icon="clip" label={t('compose.attach')} onClick={() => picker.current?.click()} />
        </div>
      </div>
      {(types.length > 0 || shown.length > 0) && (
        <div class="columns">
          {types.length > 0 && (
            <Field label={t('ticket.type')}>
              <select value={type} onChange={(e) => setType(e.currentTarget.value)}>
                <option value="">{t('app.none')}</option>
                {types.map((d) => (
                  <option key={d.type} value={d.type}>
                    {d.name}
                  </option>
                ))}
              </select>
            </Field>
          )}
          {shown.map((field) => (
            <FieldInput key={field.field} field={field} value={fields.find((f) => f.field === field.field)?.value}
              onChange={(value) => setFields([...fields.filter((f) => f.field !== field.field), ...(value === null ? [] : [{ field: field.field, value }])])} />
          ))}
        </div>
      )}
      <Wrong text={wrong} />
      <div class="row">
        <button class="button main" disabled={busy || !subject.trim() || !body.trim() || !complete}>
          {t('new.create')}
        </button>
        {!complete && <span class="small soft">{t('compose.sending_files')}</span>}
      </div>
    </form>
  );
}
