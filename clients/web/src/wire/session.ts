/* A session with the desk: the proof of the device's secret, and the token that comes of it, which is kept in memory alone.
 * docs/protocol.md, "Session". */
import { blake2b } from '@noble/hashes/blake2.js';
import { fromBase64url, toBase64url } from './bytes';
import { compareClocks, deskNow } from './clock';
import { code, Failure, failureOfResponse } from './failure';
import type { Role } from '@schema';

/** What binds this browser to the desk. It stays here until the device is forgotten. */
export interface DeviceKey {
  secret: string;
  /** The desk's public key, as it was when the device was bound: another one is another desk. */
  project: string;
}

export interface SessionInfo {
  token: string;
  expires_at: number;
  /** Absent: a stranger's. */
  role?: Role;
  user?: string;
  name?: string;
}

interface Nonce {
  nonce: string;
  project: string;
  server: string;
  device: string;
}

const encoder = new TextEncoder();

/** Keyed BLAKE2b-256 (RFC 7693) over the parts, each behind its length as two bytes. */
export function proofOf(secret: Uint8Array, nonce: Nonce): Uint8Array {
  const parts = [encoder.encode('assist-session-1'), fromBase64url(nonce.project), encoder.encode(nonce.server), encoder.encode(nonce.device),
    fromBase64url(nonce.nonce)];
  const hash = blake2b.create({ dkLen: 32, key: secret });
  for (const part of parts) {
    hash.update(Uint8Array.of(part.length >> 8, part.length & 255));
    hash.update(part);
  }
  return hash.digest();
}

/** The overlay address in a page's own address; undefined where it came by one of the desk's names, which says nothing of it. */
export function dialled({ hostname }: { hostname: string }): string | undefined {
  const host = hostname.replace(/^\[|\]$/g, '');
  return /^[0-9.]+$|:/.test(host) ? host : undefined;
}

export interface SessionOptions {
  fetch: typeof fetch;
  now: () => number;
  key: () => DeviceKey | undefined;
  /** The address that was dialled, where it is known: a desk that calls itself otherwise passes another one's nonce on. */
  server: string | undefined;
  /** Whom a page in somebody else's frame speaks for: customers only. */
  embed: boolean;
}

export class Session {
  info: SessionInfo | undefined;
  /** The desk's public key, as it said itself last. */
  project: string | undefined;
  private opening: Promise<SessionInfo> | undefined;

  constructor(private readonly options: SessionOptions) {}

  /** The session that there is, or a new one: where there is none, where it is over, or where `stale` is the one that was refused. */
  open(stale?: string): Promise<SessionInfo> {
    const { info } = this;
    if (info && info.token !== stale && info.expires_at > deskNow(this.options.now) + 60_000) return Promise.resolve(info);
    this.opening ??= this.begin().finally(() => (this.opening = undefined));
    return this.opening;
  }

  /** The next call begins with another session: the device was bound, or forgotten. */
  drop(): void {
    this.info = undefined;
  }

  private async begin(): Promise<SessionInfo> {
    const key = this.options.key();
    const nonce = await this.post<Nonce>('/session/nonce', {});
    this.project = nonce.project;
    if (key && key.project !== nonce.project) throw new Failure(code.unauthenticated, 'another desk', { reason: 'project' });
    if (key && this.options.server !== undefined && this.options.server !== nonce.server)
      throw new Failure(code.forbidden, 'another address', { field: 'server', reason: `the desk calls itself ${nonce.server}` });
    const body = {
      nonce: nonce.nonce,
      ...(key && { proof: toBase64url(proofOf(fromBase64url(key.secret), nonce)) }),
      ...(this.options.embed && { embed: true }),
    };
    this.info = await this.post<SessionInfo>('/session', body);
    return this.info;
  }

  private async post<T>(path: string, body: unknown): Promise<T> {
    const response = await this.options
      .fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), signal: AbortSignal.timeout(20_000) })
      .catch(() => {
        throw new Failure(code.unreachable, 'the desk does not answer');
      });
    if (!response.ok) throw await failureOfResponse(response);
    compareClocks(Date.parse(response.headers.get('Date') ?? ''), this.options.now());
    return (await response.json()) as T;
  }
}
