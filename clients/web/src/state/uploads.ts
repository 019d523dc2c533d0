/* Pictures and files on their way to the desk, in pieces. Each is kept in this browser until it has gone with a comment: what fails, or is cut off by
 * a reload, goes on where it was. docs/protocol.md, "Attachments". */
import { signal, type Signal } from '@preact/signals';
import { ulid } from '../wire/bytes';
import { code, Failure, failureOfResponse, isFailure } from '../wire/failure';
import type { Rpc } from '../wire/rpc';
import type { Session } from '../wire/session';
import type { Cache, LocalFile } from './cache';

const PIECE = 256 * 1024;
export const FILE_MAX = 26_214_400;
export const FILES_MAX = 10;

export interface Upload extends LocalFile {
  /** Bytes that have arrived. */
  sent: number;
  failure?: Failure | undefined;
  /** The browser has no room for it: it is in this page alone. */
  unkept?: boolean;
}

export class Uploads {
  private readonly map = new Map<string, Signal<Upload>>();

  constructor(
    private readonly rpc: Rpc,
    private readonly session: Session,
    private readonly cache: Cache,
    private readonly fetcher: typeof fetch,
  ) {}

  at(id: string): Signal<Upload> | undefined {
    return this.map.get(id);
  }

  /** Begins to send a file. It is kept before anything else, so that it can't get lost. */
  async add(blob: Blob, name: string): Promise<string> {
    const file: LocalFile = { id: ulid(), name: name.slice(0, 200) || 'file', type: blob.type, blob };
    const upload = signal<Upload>({ ...file, sent: 0 });
    this.map.set(file.id, upload);
    if (blob.size > FILE_MAX || blob.size === 0) upload.value = { ...upload.peek(), failure: new Failure(code.tooLarge, 'too large', { limit: FILE_MAX }) };
    else {
      if (!(await this.cache.put('file', file))) upload.value = { ...upload.peek(), unkept: true };
      void this.run(upload);
    }
    return file.id;
  }

  /** A file of another visit goes on. */
  async resume(id: string): Promise<void> {
    if (this.map.has(id)) return;
    const file = await this.cache.get('file', id);
    if (!file || this.map.has(id)) return;
    const upload = signal<Upload>({ ...file, sent: file.complete ? file.blob.size : 0 });
    this.map.set(id, upload);
    if (!file.complete) void this.run(upload);
  }

  retry(id: string): void {
    const upload = this.map.get(id);
    if (upload?.peek().failure) void this.run(upload);
  }

  /** The desk is there again. */
  goOn(): void {
    for (const upload of this.map.values()) if (upload.peek().failure?.passing) void this.run(upload);
  }

  async remove(id: string): Promise<void> {
    this.map.delete(id);
    await this.cache.remove('file', id);
  }

  /** What the desk calls the uploads, once all are there; undefined where one is not. */
  done(ids: readonly string[]): string[] | undefined {
    const uploads = ids.map((id) => this.map.get(id)?.peek());
    return uploads.every((u) => u?.complete) ? uploads.map((u) => u!.upload!) : undefined;
  }

  private async run(upload: Signal<Upload>): Promise<void> {
    const change = (part: Partial<Upload>) => (upload.value = { ...upload.peek(), ...part });
    change({ failure: undefined });
    try {
      const { id, name, type, blob } = upload.peek();
      let { upload: announced } = upload.peek();
      if (announced === undefined) {
        announced = (await this.rpc.call('attachment.start', { name, size: blob.size, op_id: ulid() }, { again: 0 })).upload;
        change({ upload: announced });
        if (this.map.get(id) === upload) await this.cache.put('file', { id, name, type, blob, upload: announced });
      } else change({ sent: await this.offset(announced) });
      for (let sent = upload.peek().sent; sent < blob.size; change({ sent })) {
        if (this.map.get(id) !== upload) return; /* it was removed */
        sent = await this.piece(announced, blob, sent);
      }
      if (this.map.get(id) !== upload) return;
      change({ complete: true });
      await this.cache.put('file', { id, name, type, blob, upload: announced, complete: true });
    } catch (e) {
      if (!isFailure(e)) throw e;
      /* the desk forgets what was not used for a day: announce it anew */
      change(isFailure(e, code.notFound) ? { failure: e, upload: undefined as never, sent: 0 } : { failure: e });
    }
  }

  private async offset(upload: string): Promise<number> {
    const response = await this.ask(upload, { method: 'HEAD' });
    return Number(response.headers.get('Upload-Offset'));
  }

  private async piece(upload: string, blob: Blob, first: number): Promise<number> {
    const body = blob.slice(first, first + PIECE);
    const response = await this.ask(upload, {
      method: 'PUT',
      headers: { 'Content-Range': `bytes ${first}-${first + body.size - 1}/${blob.size}`, 'Content-Type': 'application/octet-stream' },
      body,
    });
    return Number(response.headers.get('Upload-Offset'));
  }

  private async ask(upload: string, init: RequestInit & { headers?: Record<string, string> }): Promise<Response> {
    for (let stale: string | undefined, tried = 0; ; tried++) {
      const { token } = await this.session.open(stale);
      const response = await this.fetcher(`/attachments/${upload}`, { ...init, headers: { ...init.headers, Authorization: `Bearer ${token}` }, signal: this.rpc.signal }).catch(() => {
        throw new Failure(code.unreachable, 'the desk does not answer');
      });
      if (response.ok) return response;
      if (response.status !== 401 || tried) throw await failureOfResponse(response);
      stale = token;
    }
  }
}
