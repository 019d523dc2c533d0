/* "Are you sure?", in the page's own words: a browser's own box is not shown in a frame. */
import { signal } from '@preact/signals';
import { Dialog } from './parts';
import { t } from '../text/text';

const asked = signal<{ question: string; answer: (yes: boolean) => void } | undefined>(undefined);

export const confirmed = (question: string): Promise<boolean> =>
  new Promise((resolve) => {
    asked.value = {
      question,
      answer: (yes) => {
        asked.value = undefined;
        resolve(yes);
      },
    };
  });

export function Confirm() {
  if (!asked.value) return null;
  const { question, answer } = asked.value;
  return (
    <Dialog title={t('app.sure')} onClose={() => answer(false)}
      foot={
        <>
          <button class="button" autofocus onClick={() => answer(false)}>
            {t('app.cancel')}
          </button>
          <button class="button danger" onClick={() => answer(true)}>
            {t('app.yes')}
          </button>
        </>
      }>
      <p>{question}</p>
    </Dialog>
  );
}
