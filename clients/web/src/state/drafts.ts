/* What is being written: kept in this browser at every pause, and at the desk, so that neither a crash nor another device loses a word. */
import { batch, signal, type Signal } from '@preact/signals';
import { ulid } from '../wire/bytes';
import { code, ignoreFailure, isFailure } from '../wire/failure';
import type { Rpc } from '../wire/rpc';
import type { LiveEvent } from '../wire/machine';
import type { Cache, LocalDraft } from './cache';
import type { Draft } from '@schema';

const SAVE_MS = 1_500;

export interface DraftState {
  body: string;
  files: readonly string[];
  version?: number | undefined;
  /** What another device has saved meanwhile. */
  other?: Draft | undefined;
}

const keyOf = (ticket: string, note: boolean): string => `${ticket}/${note ? 'note' : 'reply'}`;

export class Drafts {
  private readonly map = new Map<string, Signal<DraftState>>();
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  /** What the desk is being told, one save of a text at a time: each goes on from the version of the one before. */
  private readonly saving = new Map<string, Promise<void>>();

  constructor(
    private readonly rpc: Rpc,
    private readonly cache: Cache,
  ) {}

  at(ticket: string, note: boolean): Signal<DraftState> {
    const key = keyOf(ticket, note);
    let draft = this.map.get(key);
    if (!draft) this.map.set(key, (draft = signal<DraftState>({ body: '', files: [] })));
    return draft;
  }

  /** What was begun here or on another device. */
  async open(ticket: string, note: boolean): Promise<void> {
    const draft = this.at(ticket, note);
    if (draft.peek().body || draft.peek().files.length) return;
    const local = await this.cache.get('draft', keyOf(ticket, note));
    if (local && !draft.peek().body) draft.value = { body: local.body, files: local.files, version: local.version };
    await this.fetch(ticket, note);
  }

  /** The desk's may be newer: of another device. */
  private async fetch(ticket: string, note: boolean): Promise<void> {
    const draft = this.at(ticket, note);
    try {
      const { draft: kept } = await this.rpc.call('draft.get', { ticket, note });
      const { body, version } = draft.peek();
      if (!kept.body || kept.version === version || kept.body === body) return void (draft.value = { ...draft.peek(), version: kept.version });
      draft.value = body ? { ...draft.peek(), other: kept } : { ...draft.peek(), body: kept.body, version: kept.version };
    } catch (e) {
      if (!isFailure(e)) throw e; /* none is there, or none can be had now */
    }
  }

  write(ticket: string, note: boolean, change: Partial<DraftState>): void {
    const draft = this.at(ticket, note);
    draft.value = { ...draft.peek(), ...change };
    void this.keep(ticket, note);
    this.saveLater(ticket, note);
  }

  /** It was sent, or is not wanted. */
  discard(ticket: string, note: boolean): void {
    const draft = this.at(ticket, note);
    const { version } = draft.peek();
    const key = keyOf(ticket, note);
    clearTimeout(this.timers.get(key));
    draft.value = { body: '', files: [] };
    void this.cache.remove('draft', key);
    /* a save that is on its way makes a version that is not wanted either */
    const saving = this.saving.get(key);
    if (saving) void saving.then(() => this.drop(ticket, note, draft.peek().version ?? version));
    else this.drop(ticket, note, version);
  }

  private drop(ticket: string, note: boolean, version: number | undefined): void {
    if (version === undefined) return;
    const draft = this.at(ticket, note);
    if (draft.peek().version === version) draft.value = { ...draft.peek(), version: undefined };
    this.rpc.call('draft.discard', { ticket, note, version, op_id: ulid() }).catch(ignoreFailure);
  }

  /** Of two texts, keep one; the other one is gone. */
  settle(ticket: string, note: boolean, theirs: boolean): void {
    const { other, body } = this.at(ticket, note).peek();
    if (other) this.write(ticket, note, { other: undefined, version: other.version, body: theirs ? (other.body ?? '') : body });
  }

  apply({ type, data }: LiveEvent): void {
    if (type !== 'draft.changed') return;
    const draft = this.map.get(keyOf(data.ticket as string, data.note as boolean));
    if (draft && draft.peek().version !== data.version) void this.fetch(data.ticket as string, data.note as boolean);
  }

  private async keep(ticket: string, note: boolean): Promise<void> {
    const { body, files, version } = this.at(ticket, note).peek();
    const key = keyOf(ticket, note);
    const local: LocalDraft = { key, ticket, note, body, files: [...files], saved_at: Date.now(), ...(version !== undefined && { version }) };
    await (body || files.length ? this.cache.put('draft', local) : this.cache.remove('draft', key));
  }

  private saveLater(ticket: string, note: boolean): void {
    const key = keyOf(ticket, note);
    clearTimeout(this.timers.get(key));
    this.timers.set(key, setTimeout(() => void this.save(ticket, note), SAVE_MS));
  }

  private async save(ticket: string, note: boolean): Promise<void> {
    const key = keyOf(ticket, note);
    if (this.saving.has(key)) return this.saveLater(ticket, note);
    const saving = this.tell(ticket, note);
    this.saving.set(key, saving);
    await saving.finally(() => this.saving.delete(key));
  }

  private async tell(ticket: string, note: boolean): Promise<void> {
    const draft = this.at(ticket, note);
    const { body, version } = draft.peek();
    if (!body && version === undefined) return;
    try {
      const { draft: saved } = await this.rpc.call('draft.save', { ticket, note, body, op_id: ulid(), ...(version !== undefined && { version }) });
      batch(() => (draft.value = { ...draft.peek(), version: saved.version }));
      void this.keep(ticket, note);
    } catch (e) {
      if (!isFailure(e)) throw e;
      const newer = e.code === code.conflict ? (e.data.newer as Draft | undefined) : undefined;
      if (newer) draft.value = newer.body ? { ...draft.peek(), other: newer } : { ...draft.peek(), version: newer.version };
    }
  }
}
