/* The next reply or note. Nothing that is written or pasted here gets lost: it is kept while it is written, and goes through the outbox. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { useMentions } from './mention_picker';
import { useHome } from '../ui/context';
import { Icon } from '../ui/icon';
import { useKeys } from '../ui/keys';
import { IconButton, Menu } from '../ui/parts';
import { act } from '../state/actions';
import { toast } from '../state/toasts';
import type { Thread } from '../state/thread';
import { FILE_MAX, FILES_MAX } from '../state/uploads';
import { code, isFailure } from '../wire/failure';
import { bytes, reasonOf, t } from '../text/text';
import type { Comment, Ticket, TicketState } from '@schema';

export function UploadView({ id, onRemove }: { id: string; onRemove: () => void }) {
  const home = useHome();
  const upload = home.uploads.at(id)?.value;
  const [preview, setPreview] = useState<string>();
  const blob = upload?.blob;
  useEffect(() => {
    if (!blob?.type.startsWith('image/')) return undefined;
    const url = URL.createObjectURL(blob);
    setPreview(url);
    return () => URL.revokeObjectURL(url);
  }, [blob]);
  if (!upload) return null;
  const percent = Math.floor((100 * upload.sent) / upload.blob.size);
  return (
    <div class={`upload${upload.failure ? ' failed' : ''}`}>
      {preview ? <img src={preview} alt="" /> : <Icon name="file" />}
      <div class="grow">
        <div class="clip small">{upload.name}</div>
        {upload.failure ? (
          <div class="small" role="alert">
            {t('compose.file_failed', { reason: upload.failure.code === code.tooLarge ? t('compose.too_large', { size: bytes(FILE_MAX) }) : reasonOf(upload.failure) })}
          </div>
        ) : upload.complete ? (
          <div class="small soft">{bytes(upload.blob.size)}</div>
        ) : (
          <progress max={100} value={percent} aria-label={t('compose.file_progress', { name: upload.name, percent })} />
        )}
        {upload.unkept && (
          <div class="small" role="status">
            {t('compose.file_unkept')}
          </div>
        )}
      </div>
      {upload.failure && upload.failure.code !== code.tooLarge && (
        <button class="button small" onClick={() => home.uploads.retry(id)}>
          {t('app.retry')}
        </button>
      )}
      <IconButton icon="close" small label={t('compose.remove_file', { name: upload.name })} onClick={onRemove} />
    </div>
  );
}

/** Pasted, dropped and picked files begin to be sent at once. */
export function useFiles(files: readonly string[], change: (files: string[]) => void) {
  const home = useHome();
  const add = async (list: Iterable<File>) => {
    const now = [...files];
    for (const file of list) {
      if (now.length >= FILES_MAX) {
        toast(t('compose.too_many', { n: FILES_MAX }), 'failed');
        break;
      }
      now.push(await home.uploads.add(file, file.name || 'image.png'));
      change([...now]);
    }
  };
  const remove = (id: string) => {
    void home.uploads.remove(id);
    change(files.filter((f) => f !== id));
  };
  return { add, remove };
}

/** Takes what is dragged over an element or pasted into it. */
export function dropProps(add: (files: Iterable<File>) => void, over: boolean, setOver: (over: boolean) => void) {
  return {
    class: `drop-target${over ? ' over' : ''}`,
    'data-drop': t('compose.drop'),
    onDragOver: (e: DragEvent) => {
      if (!e.dataTransfer?.types.includes('Files')) return;
      e.preventDefault();
      setOver(true);
    },
    onDragLeave: () => setOver(false),
    onDrop: (e: DragEvent) => {
      setOver(false);
      if (!e.dataTransfer?.files.length) return;
      e.preventDefault();
      add(e.dataTransfer.files);
    },
    onPaste: (e: ClipboardEvent) => {
      if (!e.clipboardData?.files.length) return;
      e.preventDefault();
      add(e.clipboardData.files);
    },
  };
}

export function Composer({ ticket, thread }: { ticket: Ticket; thread: Thread }) {
  const home = useHome();
  const [note, setNote] = useState(false);
  const [over, setOver] = useState(false);
  const [ready, setReady] = useState<{ state?: TicketState; anyway?: string } | undefined>();
  const [newer, setNewer] = useState<Comment>();
  const text = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const form = useRef<HTMLFormElement>(null);
  const draft = home.drafts.at(ticket.id, note).value;
  const { body, files, other } = draft;
  const write = (change: Partial<typeof draft>) => home.drafts.write(ticket.id, note, change);
  const { add, remove } = useFiles(files, (now) => write({ files: now }));

  const mentions = useMentions(text, body, (now) => write({ body: now }));

  useEffect(() => void home.drafts.open(ticket.id, note), [ticket.id, note]);
  useEffect(() => files.forEach((id) => void home.uploads.resume(id)), [files]);
  useEffect(() => void home.presence.drafting(ticket.id, body.trim() !== '', note), [body.trim() !== '', note, ticket.id]);
  const focus = (asNote: boolean) => {
    setNote(asNote);
    requestAnimationFrame(() => text.current?.focus());
  };
  useKeys({ r: () => focus(false), i: () => home.agent && focus(true) });

  /* what came since the end of the thread was in view */
  const comments = thread.entries.value.filter((entry) => !entry.note);
  const seen = thread.seen.value;
  const unseen = seen === undefined ? 0 : comments.length - 1 - comments.findLastIndex(({ id }) => id === seen);
  const theirs = comments.slice(comments.length - unseen).filter(({ author }) => author !== home.me.user).length;
  const jump = () => {
    const first = comments[comments.length - unseen];
    if (first) document.getElementById(`c-${first.id}`)?.scrollIntoView({ block: 'start' });
    thread.seen.value = comments.at(-1)?.id;
  };

  const send = async (state: TicketState | undefined, anyway?: string) => {
    const attachments = home.uploads.done(files);
    if (!attachments) return setReady({ ...(state && { state }), ...(anyway && { anyway }) });
    setReady(undefined);
    setNewer(undefined);
    home.drafts.discard(ticket.id, note);
    /* its button can't be pressed any more */
    if (form.current?.contains(document.activeElement)) text.current?.focus();
    const common = { ticket: ticket.id, body, ...(attachments.length && { attachments }) };
    const before = anyway ?? seen ?? ticket.newest_comment;
    try {
      if (note) thread.take({ ...(await home.outbox.send('note.add', common, ticket.id)).comment, note: true });
      else {
        const sent = await home.outbox.send('comment.add', { ...common, ...(before && { seen_comment: before }), ...(state && { state }) }, ticket.id);
        if (sent.comment.ticket === ticket.id) thread.take({ ...sent.comment, note: false });
        thread.seen.value = sent.comment.id;
        if (sent.follow_up) home.tickets.put(sent.follow_up);
      }
      for (const id of files) void home.uploads.remove(id);
    } catch (e) {
      if (!isFailure(e)) throw e;
      /* the text is back where it was written, unless something else stands there by now */
      if (!home.drafts.at(ticket.id, note).peek().body) home.drafts.write(ticket.id, note, { body, files });
      if (e.code === code.conflict && e.data.newer) {
        const comment = e.data.newer as Comment;
        thread.take({ ...comment, note: false });
        setNewer(comment);
      } else toast(t('thread.refused', { reason: reasonOf(e) }), 'failed');
    }
  };
  /* it was sent while files were on their way: it goes when the last one is there */
  const complete = files.every((id) => home.uploads.at(id)?.value.complete);
  useEffect(() => {
    if (ready && complete) void send(ready.state, ready.anyway);
  }, [ready, complete]);

  const insert = async (reply: string) => {
    const rendered = await act(home, 'reply.render', { reply, ticket: ticket.id });
    if (rendered) write({ body: body ? `${body}\n\n${rendered.body}` : rendered.body });
    text.current?.focus();
  };
  const empty = !body.trim();
  const anyway = newer?.id;
  const replies = home.agent ? home.definitions.usable('reply') : [];
  return (
    <form ref={form} class={`composer${note ? ' note' : ''}`}
      onSubmit={(e) => {
        e.preventDefault();
        if (!empty) void send(undefined, anyway);
      }}
      onKeyDown={(e) => {
        if (e.key !== 'Enter' || !(e.ctrlKey || e.metaKey) || empty) return;
        e.preventDefault();
        void send(undefined, anyway);
      }}>
      {!note && theirs > 0 && !empty && (
        <p class="notice warn" role="status">
          <Icon name="warning" />
          <span class="grow">{t('thread.new_replies', { n: theirs })}</span>
          <button type="button" class="button small" onClick={jump}>
            {t('thread.jump', { n: theirs })}
          </button>
        </p>
      )}
      {newer && (
        <p class="notice danger" role="alert">
          <Icon name="warning" />
          <span class="grow">{t('compose.conflict')}</span>
        </p>
      )}
      {other && (
        <div class="notice warn" role="alert">
          <div class="grow stack">
            <strong>{t('compose.other_draft')}</strong>
            <p class="plain-words">{other.body}</p>
            <div class="row">
              <button type="button" class="button small" onClick={() => home.drafts.settle(ticket.id, note, false)}>
                {t('compose.keep_mine')}
              </button>
              <button type="button" class="button small" onClick={() => home.drafts.settle(ticket.id, note, true)}>
                {t('compose.keep_other')}
              </button>
            </div>
          </div>
        </div>
      )}
      <div {...dropProps((list) => void add(list), over, setOver)}>
        <div class="box">
          {home.agent && (
            <div class="tabs" role="tablist">
              {[false, true].map((asNote) => (
                <button key={String(asNote)} type="button" role="tab" class={asNote ? 'note' : ''} aria-selected={note === asNote} onClick={() => focus(asNote)}>
                  {asNote && <Icon name="lock" small />} {t(asNote ? 'compose.note' : 'compose.reply')}
                </button>
              ))}
            </div>
          )}
          <textarea ref={text} rows={3} maxLength={65536} value={body} {...mentions.props} aria-label={t(note ? 'compose.note_label' : 'compose.reply_label')}
            placeholder={t(note ? 'compose.note_hint' : 'compose.reply_hint')}
            onInput={(e) => {
              write({ body: e.currentTarget.value });
              mentions.look();
              if (e.currentTarget.value) void home.presence.typing(ticket.id, note);
            }}
            onKeyDown={(e) => mentions.key(e) && e.stopPropagation()} />
          {mentions.list}
          {files.length > 0 && (
            <div class="files tools">
              {files.map((id) => (
                <UploadView key={id} id={id} onRemove={() => remove(id)} />
              ))}
            </div>
          )}
          <div class="tools">
            <input ref={picker} type="file" multiple hidden
              onChange={(e) => {
                void add([...(e.currentTarget.files ?? [])]);
                e.currentTarget.value = '';
              }} />
            <IconButton icon="clip" label={t('compose.attach')} onClick={() => picker.current?.click()} />
            {replies.length > 0 && (
              <Menu label={t('compose.canned')} icon="text">
                {replies.map(({ reply, name }) => (
                  <button key={reply} type="button" onClick={() => void insert(reply)}>
                    {name}
                  </button>
                ))}
              </Menu>
            )}
            <span class="end">
              {ready && <span class="small soft">{t('compose.sending_files')}</span>}
              <span class={home.agent && !note ? 'split' : ''}>
                <button class="button main" disabled={empty}>
                  <Icon name={note ? 'lock' : 'send'} />
                  {t(newer ? 'compose.send_anyway' : note ? 'compose.send_note' : 'compose.send')}
                </button>
                {home.agent && !note && (
                  <Menu label={t('compose.send_options')} icon="down" button="button main">
                    {(['open', 'pending', 'solved'] as const).map((state) => (
                      <button key={state} type="button" disabled={empty} onClick={() => void send(state, anyway)}>
                        {t('compose.send_as', { state: t(`state.${state}`) })}
                      </button>
                    ))}
                  </Menu>
                )}
              </span>
            </span>
          </div>
        </div>
      </div>
    </form>
  );
}
