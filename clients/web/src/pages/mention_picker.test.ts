import { expect, test, vi } from 'vitest';
import type { Person } from '@schema';

vi.mock('../ui/context', () => ({}));
vi.mock('../ui/parts', () => ({}));
vi.mock('../text/text', () => ({ t: (key: string) => key }));
const { begun } = await import('./mention_picker');
const { candidates } = await import('./person_choices');

const person = (name: string, role: Person['role'] = 'agent', active = true): Person => ({ id: name, name, role, active });
const people = [person('Zoë Pereira', 'customer'), person('Agnes Aalto'), person('Old Agnes', 'agent', false), person('Jürgen Ferrari'), person('Pere Zorro')];
const found = (typed: string): string[] => candidates(people, typed).map(({ name }) => name);

test('a name begins behind an @ that is in no word', () => {
  expect(begun('ask @agn', 8)).toEqual({ at: 5, typed: 'agn' });
  expect(begun('@', 1)).toEqual({ at: 1, typed: '' });
  expect(begun('(@Jürgen F', 10)).toEqual({ at: 2, typed: 'Jürgen F' });
  expect(begun('mail agnes@example', 18)).toBeUndefined();
  expect(begun('no name', 7)).toBeUndefined();
  expect(begun('@agnes\nnew line', 15)).toBeUndefined();
  expect(begun('@agn then', 4)).toEqual({ at: 1, typed: 'agn' });
});

test('who is let in and whose name begins so, whatever its accents; those who answer first', () => {
  expect(found('agn')).toEqual(['Agnes Aalto']);
  expect(found('jurgen f')).toEqual(['Jürgen Ferrari']);
  expect(found('pere')).toEqual(['Pere Zorro', 'Zoë Pereira']);
  expect(found('ZO')).toEqual(['Pere Zorro', 'Zoë Pereira']);
  expect(found('x')).toEqual([]);
});
