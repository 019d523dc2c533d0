/* What this browser keeps between visits, so that it shows the desk at once and loses nothing: lists and tickets as they were last seen, what waits
 * to be sent, texts that are being written, and pictures that were pasted. One database for each user of a desk. */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';

export interface Queued {
  op_id: string;
  method: string;
  params: Record<string, unknown>;
  ticket?: string;
  at: number;
  /** Why the desk did not take it; it stays until somebody decides. */
  failed?: string;
  /** It ends with the page: the browser had no room for it. */
  fleeting?: true;
}

export interface LocalDraft {
  key: string;
  ticket: string;
  note: boolean;
  body: string;
  /** Of the desk's draft that this one goes on from. */
  version?: number;
  /** The uploads that go with it, by their local ids. */
  files: string[];
  saved_at: number;
}

export interface LocalFile {
  id: string;
  name: string;
  type: string;
  blob: Blob;
  /** What the desk calls the upload, once it was announced. */
  upload?: string;
  complete?: boolean;
}

interface Stored extends DBSchema {
  seen: { key: string; value: unknown };
  queue: { key: string; value: Queued };
  draft: { key: string; value: LocalDraft };
  file: { key: string; value: LocalFile };
}

type Store = 'seen' | 'queue' | 'draft' | 'file';

export class Cache {
  private constructor(private db: IDBPDatabase<Stored> | undefined) {}

  /** Where the browser lets nothing be kept (a private window, or a newer page's storage), it forgets: everything works, but for what outlives the page. */
  static async open(user: string): Promise<Cache> {
    const cache = new Cache(undefined);
    const over = () => {
      cache.db?.close();
      cache.db = undefined;
    };
    try {
      cache.db = await openDB<Stored>(`assist-${user}`, 1, {
        upgrade(db) {
          db.createObjectStore('seen');
          db.createObjectStore('queue', { keyPath: 'op_id' });
          db.createObjectStore('draft', { keyPath: 'key' });
          db.createObjectStore('file', { keyPath: 'id' });
        },
        blocking: over, /* a newer page wants to change it */
        terminated: over,
      });
    } catch {
      /* it forgets */
    }
    return cache;
  }

  get kept(): boolean {
    return this.db !== undefined;
  }

  async seen<T>(key: string): Promise<T | undefined> {
    return (await this.db?.get('seen', key).catch(() => undefined)) as T | undefined;
  }

  see(key: string, value: unknown): void {
    void this.db?.put('seen', value, key).catch(() => undefined);
  }

  async all<S extends 'queue' | 'draft' | 'file'>(store: S): Promise<Stored[S]['value'][]> {
    return (await this.db?.getAll(store).catch(() => [])) ?? [];
  }

  async get<S extends 'queue' | 'draft' | 'file'>(store: S, key: string): Promise<Stored[S]['value'] | undefined> {
    return this.db?.get(store, key).catch(() => undefined);
  }

  /** Whether it will outlive the page: the browser may have no room for it. */
  async put<S extends 'queue' | 'draft' | 'file'>(store: S, value: Stored[S]['value']): Promise<boolean> {
    return (await this.db?.put(store, value).then(() => true, () => false)) ?? false;
  }

  async remove(store: Store, key: string): Promise<void> {
    await this.db?.delete(store, key).catch(() => undefined);
  }

  async forgetSeen(): Promise<void> {
    await this.db?.clear('seen').catch(() => undefined);
  }

  /** Forget everything: the device is bound no more. */
  async clear(): Promise<void> {
    const { db } = this;
    if (db) await Promise.all(([...db.objectStoreNames] as Store[]).map((store) => db.clear(store).catch(() => undefined)));
  }
}
