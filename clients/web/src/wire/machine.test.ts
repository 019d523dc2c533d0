import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LiveMachine, type Action } from './machine';

const ID = '01J00000000000000000000000';

/** The clock and the client of a story. */
class Room {
  now = 5_000;
  machine = new LiveMachine(() => this.now, (below) => below - 1);

  start(cursor: string): void {
    this.machine = new LiveMachine(() => this.now, (below) => below - 1, cursor);
  }

  say(message: unknown): void {
    this.machine.heard();
    this.machine.message(typeof message === 'string' ? message : JSON.stringify(message));
  }

  frame(from: string, to: string, names: string[], more: boolean): void {
    const events = names.map((type) => ({ type, op_id: ID, actor: ID, at: 1, data: {} }));
    this.say({ from, to, events, ...(more && { more }) });
  }

  wait(ms: number): void {
    this.now += ms;
    this.machine.tick();
  }

  pass(ms: number): void {
    expect(said(this.machine.next())).toBe('nothing');
    expect(this.machine.due() - this.now).toBe(ms);
    if (ms) this.wait(ms - 1);
    expect(said(this.machine.next())).toBe('nothing');
    this.wait(ms ? 1 : 0);
  }
}

/** An action in the script's words. */
function said(action: Action): string {
  switch (action.what) {
    case 'connect':
      return action.renew ? 'renew' : 'connect';
    case 'event':
      return `event ${action.event.type}`;
    case 'send':
      return `send ${action.text}`;
    case 'reset':
    case 'over':
      return `${action.what} ${action.reason}`;
    default:
      return action.what;
  }
}

const named = (word: string | undefined): string => (word === '-' || word === undefined ? '' : word);

function step(room: Room, line: string): void {
  const [verb = '', ...words] = line.split(' ');
  const rest = line.slice(verb.length + 1);
  const [first = '', second = '', ...more] = words;
  const { machine } = room;
  switch (verb) {
    case '>':
      return expect(said(machine.next())).toBe(rest);
    case 'start':
      return room.start(named(first));
    case 'accepted':
      return machine.accepted();
    case 'heard':
      return machine.heard();
    case 'refused':
      return machine.refused(Number(first), Number(second));
    case 'unreachable':
      return machine.unreachable(Number(first));
    case 'closed':
      return machine.closedWith(Number(first));
    case 'hello':
      return room.say({ type: 'hello', session: ID, mode: first, cursor: second, ...(more[0] && { role: more[0] }) });
    case 'frame':
    case 'page':
      return room.frame(first, second, more, verb === 'page');
    case 'say':
      return room.say(rest);
    case 'wait':
      return room.wait(Number(first));
    case 'pass':
      return room.pass(Number(first));
    case 'cursor':
      return expect(machine.cursor).toBe(named(first));
    default:
      throw new Error(`no such step: ${line}`);
  }
}

const script = readFileSync(new URL('../../../live_machine.script', import.meta.url), 'utf8');
for (const text of script.split(/^story /m).slice(1)) {
  const [name = '', ...lines] = text.trim().split('\n');
  test(name, () => {
    const room = new Room();
    for (const [i, line] of lines.entries()) {
      try {
        if (line) step(room, line);
      } catch (e) {
        throw new Error(`step ${i + 1}, "${line}": ${(e as Error).message}`, { cause: e });
      }
    }
  });
}

test('every pause is any time within its bound', () => {
  const asked: number[] = [];
  let now = 0;
  const machine = new LiveMachine(() => now, (below) => (asked.push(below), Math.floor(below / 2)));
  machine.tick();
  machine.next();
  machine.unreachable(3_000);
  expect(asked).toEqual([3_001]);
  expect(machine.due()).toBe(1_500);
});

test('where something else was not answered, the desk has five seconds to say that it is there', () => {
  const room = new Room();
  const open = () => ['start c1', 'wait 0', '> connect', 'accepted', 'hello live c1', '> connected'].forEach((line) => step(room, line));
  open();
  room.machine.doubt();
  room.machine.doubt();
  step(room, '> send {"type":"ping"}');
  step(room, 'say {"type":"pong"}');
  step(room, 'pass 30000');
  step(room, '> send {"type":"ping"}');
  open();
  room.machine.doubt();
  step(room, '> send {"type":"ping"}');
  step(room, 'pass 5000');
  step(room, '> drop');
});
