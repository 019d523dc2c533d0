import { expect, test } from 'vitest';
import type { People } from './people';
import { Presence } from './presence';
import { SignalMap } from './signal_map';
import { code, Failure } from '../wire/failure';
import type { Rpc } from '../wire/rpc';
import type { Viewer } from '@schema';

function stage() {
  const calls: [string, Record<string, unknown>][] = [];
  let now = 0;
  let expired = false;
  const rpc = {
    call: (method: string, params: Record<string, unknown>) => {
      calls.push([method, params]);
      if (method === 'presence.view' && expired && params.grant === 'old') return Promise.reject(new Failure(code.expired, 'expired'));
      return Promise.resolve(method === 'ticket.get' ? { grant: 'new' } : { people: [] });
    },
  };
  const presence = new Presence(rpc as unknown as Rpc, { viewers: new SignalMap<Viewer[]>() } as unknown as People, () => now);
  return { presence, calls, pass: (ms: number) => (now += ms), expire: () => (expired = true), named: (name: string) => calls.filter(([method]) => method === name) };
}
const settled = () => new Promise((done) => setTimeout(done, 0));

test('nothing is told without a connection; another connection is told what is looked at', async () => {
  const { presence, calls } = stage();
  presence.view('T', 'g');
  await presence.typing('T', false);
  presence.leave('X');
  expect(calls).toEqual([]);
  presence.connection('s1');
  presence.connection('s2');
  await settled();
  expect(calls.map(([method, params]) => [method, params.session])).toEqual([['presence.view', 's1'], ['presence.view', 's2']]);
});

test('who left a ticket is told once, and not again by another connection', async () => {
  const { presence, named } = stage();
  presence.connection('s');
  presence.view('T', 'g');
  presence.leave('T');
  presence.leave('T');
  presence.connection('s2');
  await settled();
  expect(named('presence.leave')).toHaveLength(1);
  expect(named('presence.view')).toHaveLength(1);
});

test('typing is told behind what says that there is a draft, and at most every four seconds', async () => {
  const { presence, calls, pass, named } = stage();
  presence.connection('s');
  presence.view('T', 'g');
  await settled();
  calls.length = 0;
  await presence.typing('T', false);
  expect(calls.map(([method, { activity }]) => [method, activity])).toEqual([['presence.view', 'drafting'], ['typing.relay', undefined]]);
  pass(3_999);
  await presence.typing('T', false);
  expect(named('typing.relay')).toHaveLength(1);
  pass(1);
  await presence.typing('T', false);
  expect(named('typing.relay')).toHaveLength(2);
});

test('that there is a draft is told when it changes, and whether it is a note', async () => {
  const { presence, calls } = stage();
  presence.connection('s');
  presence.view('T', 'g');
  await settled();
  calls.length = 0;
  await presence.drafting('T', true, false);
  await presence.drafting('T', true, false);
  await presence.drafting('T', true, true);
  await presence.drafting('T', false, true);
  expect(calls.map(([, { activity, note }]) => [activity, note])).toEqual([['drafting', false], ['drafting', true], ['viewing', true]]);
});

test('a grant that is over is renewed once', async () => {
  const { presence, calls, expire } = stage();
  presence.connection('s');
  expire();
  presence.view('T', 'old');
  await settled();
  expect(calls.map(([method, { grant }]) => [method, grant])).toEqual([['presence.view', 'old'], ['ticket.get', undefined], ['presence.view', 'new']]);
});

test('a ticket that was left while its grant is renewed is not told again', async () => {
  const { presence, expire, named } = stage();
  presence.connection('s');
  expire();
  presence.view('T', 'old');
  await Promise.resolve();
  presence.leave('T');
  await settled();
  expect(named('presence.view')).toHaveLength(1);
});
