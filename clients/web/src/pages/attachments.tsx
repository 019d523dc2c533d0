/* Pictures and files that came with a message. */
import { useEffect, useState } from 'preact/hooks';
import { useHome } from '../ui/context';
import { Icon } from '../ui/icon';
import { Dialog } from '../ui/parts';
import { ignoreFailure } from '../wire/failure';
import { bytes, t } from '../text/text';
import type { Attachment } from '@schema';

const IMAGE = /^image\/(png|jpeg|gif|webp)$/;
/* links are good for five minutes */
const LINK_MS = 4 * 60_000;

/** A URL of an attachment for elements that can't send a header. */
function useLink(attachment: string): { url: string | undefined; renew: () => void } {
  const home = useHome();
  const [link, setLink] = useState<{ url: string; until: number }>();
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    let there = true;
    home.rpc.call('attachment.link', { attachment }).then(
      ({ url }) => there && setLink({ url, until: performance.now() + LINK_MS }),
      ignoreFailure,
    );
    return () => void (there = false);
  }, [attachment, asked, home.offline.value]);
  return { url: link?.url, renew: () => (!link || link.until < performance.now()) && setAsked((n) => n + 1) };
}

function Image({ attachment: { id, name } }: { attachment: Attachment }) {
  const { url, renew } = useLink(id);
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="file-image" aria-label={t('thread.open_image', { name })} onClick={() => (renew(), setOpen(true))}>
        {url && <img src={url} alt={name} loading="lazy" onError={renew} />}
      </button>
      {open && (
        <Dialog title={name} className="viewer" onClose={() => setOpen(false)}>
          <img src={url} alt={name} />
        </Dialog>
      )}
    </>
  );
}

function Download({ attachment: { id, name, size } }: { attachment: Attachment }) {
  const { url, renew } = useLink(id);
  return (
    <a class="button small" href={url} download={name} onPointerEnter={renew} onFocus={renew} aria-label={t('thread.download', { name, size: bytes(size) })}>
      <Icon name="file" />
      <span class="clip">{name}</span>
      <span class="soft">{bytes(size)}</span>
    </a>
  );
}

export function Attachments({ attachments }: { attachments: readonly Attachment[] }) {
  return (
    <div class="files">
      {attachments.map((attachment) =>
        IMAGE.test(attachment.type) ? <Image key={attachment.id} attachment={attachment} /> : <Download key={attachment.id} attachment={attachment} />,
      )}
    </div>
  );
}
