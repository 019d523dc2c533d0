/* What a call can end in instead of a result. */

/** Codes of docs/protocol.md, "JSON-RPC"; `unreachable` is ours: the desk did not answer at all. */
export const code = {
  unreachable: 0,
  invalidParams: -32602,
  internal: -32603,
  unauthenticated: -32001,
  forbidden: -32002,
  notFound: -32003,
  conflict: -32004,
  rateLimited: -32005,
  unavailable: -32006,
  tooLarge: -32007,
  expired: -32008,
} as const;

export interface FailureData {
  field?: string;
  reason?: string;
  newer?: unknown;
  limit?: number;
  retry_after_ms?: number;
  request?: string;
}

export class Failure extends Error {
  constructor(
    readonly code: number,
    message: string,
    readonly data: FailureData = {},
  ) {
    super(message);
    this.name = 'Failure';
  }

  /** The same call may do better later: its outcome is unknown, or it was not taken. */
  get passing(): boolean {
    return this.code === code.unreachable || this.code === code.unavailable || this.code === code.rateLimited;
  }
}

export const isFailure = (e: unknown, ...codes: number[]): e is Failure =>
  e instanceof Failure && (codes.length === 0 || codes.includes(e.code));

/** For what is asked again by itself, or can be missed: a fault of ours is none of these. */
export function ignoreFailure(e: unknown): void {
  if (!isFailure(e)) throw e;
}

interface RpcError {
  code: number;
  message: string;
  data?: FailureData;
}

export const failureOf = (error: RpcError): Failure => new Failure(error.code, error.message, error.data);

/** The failure in an HTTP answer that is no 2xx. */
export async function failureOfResponse(response: Response): Promise<Failure> {
  try {
    return failureOf(((await response.json()) as { error: RpcError }).error);
  } catch {
    return new Failure(code.unavailable, `HTTP ${response.status}`);
  }
}
