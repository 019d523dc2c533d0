import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { en, type TextKey } from './en';
import { fr } from './fr';

const keys = Object.keys(en) as TextKey[];
const holes = (text: string): string[] => [...new Set(text.split('|').flatMap((form) => form.match(/\{[\w.]+\}/g) ?? []))].sort();

test('French fills the same holes, and has as many forms', () => {
  for (const key of keys) expect([key, holes(fr[key]), fr[key].split('|').length]).toEqual([key, holes(en[key]), en[key].split('|').length]);
});

test('every text is said somewhere', () => {
  const folder = new URL('..', import.meta.url).pathname;
  const source = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file) && (!file.startsWith('text/') || file === 'text/text.ts'))
    .map((file) => readFileSync(`${folder}/${file}`, 'utf8'))
    .join('\n');
  const made = [...source.matchAll(/`([a-z_.]+\.)\$\{/g)].map(([, start]) => start!);
  expect(keys.filter((key) => !source.includes(`'${key}'`) && !made.some((start) => key.startsWith(start)))).toEqual([]);
});

test('every op has words', () => {
  const schemas = new URL('../../../../schemas', import.meta.url).pathname;
  const kinds = readdirSync(schemas)
    .filter((file) => file.endsWith('.schema'))
    .flatMap((file) => [...readFileSync(`${schemas}/${file}`, 'utf8').matchAll(/^op (\S+)/gm)].map(([, kind]) => kind!));
  expect(kinds.length).toBeGreaterThan(40);
  expect(kinds.filter((kind) => !keys.includes(`op.${kind}` as TextKey))).toEqual([]);
});
