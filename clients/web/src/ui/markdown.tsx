/* Markdown as a picture of itself: what people wrote is never trusted. HTML in it is text, as it was typed; what the parser makes is sanitized to a few
 * elements all the same; pictures from elsewhere become links, so that a page of the desk asks nobody but the desk. */
import DOMPurify from 'dompurify';
import { Marked, type TokenizerAndRendererExtension } from 'marked';
import { useLayoutEffect, useRef } from 'preact/hooks';

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (c) => ESCAPES[c]!);

/* An address of an overlay is a link, too: the parser knows names alone. */
const ADDRESS = /^https?:\/\/\[[0-9a-f:.]+\](?::[0-9]{1,5})?(?:[/?#][^\s<>]*)?/i;
const addressLink: TokenizerAndRendererExtension = {
  name: 'addressLink',
  level: 'inline',
  start: (source) => source.search(/https?:\/\/\[/i),
  tokenizer(source) {
    const raw = ADDRESS.exec(source)?.[0].replace(/[.,;:!?)]+$/, '');
    return raw ? { type: 'link', raw, href: raw, text: raw, tokens: [{ type: 'text', raw, text: raw }] } : undefined;
  },
};

const marked = new Marked({ gfm: true, breaks: true, async: false, extensions: [addressLink], renderer: { html: ({ text }) => escaped(text) } });

const ELEMENTS = ['a', 'b', 'blockquote', 'br', 'code', 'del', 'em', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'i', 'img', 'li', 'ol', 'p', 'pre', 's', 'strong', 'table',
  'tbody', 'td', 'th', 'thead', 'tr', 'ul'];
const HEADINGS = /^H[1-6]$/;

function sanitized(source: string): DocumentFragment {
  const fragment = DOMPurify.sanitize(marked.parse(source, { async: false }), {
    ALLOWED_TAGS: ELEMENTS,
    ALLOWED_ATTR: ['href', 'src', 'alt', 'start', 'title'],
    ALLOWED_URI_REGEXP: /^(?:https?|mailto|tel|hero-assist):/i,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
  for (const image of fragment.querySelectorAll('img')) {
    const link = document.createElement('a');
    link.href = image.getAttribute('src') ?? '';
    link.textContent = image.alt || link.href;
    image.replaceWith(link);
  }
  for (const link of fragment.querySelectorAll('a')) {
    link.target = '_blank';
    link.rel = 'noopener noreferrer nofollow';
    /* the parser writes the brackets of an address as %5B and %5D, which no URL has there */
    const href = (link.getAttribute('href') ?? '').replace(/^(https?:\/\/)%5B([0-9a-f:.]+)%5D/i, '$1[$2]');
    if (href) link.href = href;
    else link.replaceWith(...link.childNodes);
  }
  /* a message has no headings of the page's own outline */
  for (const element of fragment.querySelectorAll('*')) {
    if (!HEADINGS.test(element.tagName)) continue;
    const strong = document.createElement('p');
    const inner = document.createElement('strong');
    inner.append(...element.childNodes);
    strong.append(inner);
    element.replaceWith(strong);
  }
  for (const block of fragment.querySelectorAll('pre')) block.tabIndex = 0;
  return fragment;
}

export function Markdown({ source }: { source: string }) {
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => ref.current!.replaceChildren(sanitized(source)), [source]);
  return <div ref={ref} class="words" />;
}
