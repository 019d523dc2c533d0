/* What the project defines for itself: teams, types, custom fields, labels, macros, canned replies, views. */
import { signal, type Signal } from '@preact/signals';
import type { Cache } from './cache';
import type { LiveEvent } from '../wire/machine';
import type { MethodName, Rpc } from '../wire/rpc';
import type { CannedReply, Field, Label, Macro, Team, TicketType, View } from '@schema';

interface Kinds {
  team: Team;
  type: TicketType;
  field: Field;
  label: Label;
  macro: Macro;
  reply: CannedReply;
  view: View;
}
export type Kind = keyof Kinds;
export type Definition<K extends Kind> = Kinds[K];

/** What customers may ask for, too. */
const FOR_ALL: readonly Kind[] = ['type', 'field', 'label'];
const ALL: readonly Kind[] = [...FOR_ALL, 'team', 'macro', 'reply', 'view'];

export class Definitions {
  private readonly lists = Object.fromEntries(ALL.map((kind) => [kind, signal([])])) as unknown as { [K in Kind]: Signal<Kinds[K][]> };

  constructor(
    private readonly rpc: Rpc,
    private readonly cache: Cache,
    private readonly agent: boolean,
  ) {}

  /** All of a kind, retired ones too, by name. */
  list<K extends Kind>(kind: K): Kinds[K][] {
    return this.lists[kind].value;
  }

  /** Those that something new may be given. */
  usable<K extends Kind>(kind: K): Kinds[K][] {
    return this.list(kind).filter(({ retired }) => !retired);
  }

  find<K extends Kind>(kind: K, id: string | undefined): Kinds[K] | undefined {
    return id === undefined ? undefined : this.list(kind).find((d) => this.idOf(kind, d) === id);
  }

  name(kind: Kind, id: string | undefined): string {
    return this.find(kind, id)?.name ?? '';
  }

  /** Of whatever kind it is; empty where none has this id. */
  nameOf(id: string): string {
    return ALL.map((kind) => this.name(kind, id)).find(Boolean) ?? '';
  }

  private idOf<K extends Kind>(kind: K, definition: Kinds[K]): string {
    return (definition as unknown as Record<string, string>)[kind]!;
  }

  private get kinds(): readonly Kind[] {
    return this.agent ? ALL : FOR_ALL;
  }

  async restore(): Promise<void> {
    for (const kind of this.kinds) {
      const seen = await this.cache.seen<never[]>(`definitions/${kind}`);
      if (seen && this.lists[kind].peek().length === 0) this.lists[kind].value = seen;
    }
  }

  async fetch(kinds: readonly Kind[] = this.kinds): Promise<void> {
    await Promise.all(
      kinds.map(async (kind) => {
        const { items } = (await this.rpc.call(`${kind}.list` as MethodName, {} as never)) as { items: never[] };
        this.lists[kind].value = items;
        this.cache.see(`definitions/${kind}`, items);
      }),
    );
  }

  apply({ type, data }: LiveEvent): void {
    const kind = (type === 'own_view.changed' ? 'view' : type.replace(/\.changed$/, '')) as Kind;
    if (!type.endsWith('.changed') || !this.kinds.includes(kind)) return;
    const changed = data[kind] as Kinds[typeof kind];
    if (!changed) return;
    if (kind === 'type' && this.agent) return void this.fetch(['type']); /* its team is not told */
    const rest = (this.lists[kind].peek() as Kinds[typeof kind][]).filter((d) => this.idOf(kind, d) !== this.idOf(kind, changed));
    this.lists[kind].value = [...rest, changed].sort((a, b) => a.name.localeCompare(b.name)) as never[];
  }
}
