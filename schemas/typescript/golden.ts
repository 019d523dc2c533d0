// Made from schemas/*.schema: change those.

/** 26 characters of Crockford's base32. */
export type Ulid = string;
/** ms since the Unix epoch. */
export type Time = number;
/** base64url without padding. */
export type Bytes = string;
/** What a reader renders. */
export type Markdown = string;

/** The bounds of a value, or of its length: a string's in code points, of bytes in bytes; of a list, its items' and how many. */
export interface Limit {
        readonly min?: number;
        readonly max?: number;
        readonly min_items?: number;
        readonly max_items?: number;
}

/** What a person may do. */
export const Role = [
        /** files tickets */
        "customer",
        /** Works on all tickets. */
        "agent",
        "admin",
] as const;
export type Role = (typeof Role)[number];

/** Somebody.
 *
 * A second paragraph, with "quotes", a \ and two ??= that are no trigraph; žluťoučký. */
export interface Person {
        id: Ulid;
        name: string;
        role: Role;
        /** null: has none */
        phone?: string | null;
}
export const person_limits = {
        name: { min: 1, max: 40 },
        phone: { min: 0, max: 40 },
} as const satisfies Record<string, Limit>;

export interface Reply {
        body: Markdown;
        key: Bytes;
        at?: Time;
        thread?: Thread;
        wake_at?: Time | null;
        role?: Role | null;
        urgent: boolean;
        limit: number;
        shift: number;
}
export const reply_limits = {
        body: { min: 0, max: 65536 },
        key: { min: 32, max: 32 },
        limit: { min: 1, max: 100 },
} as const satisfies Record<string, Limit>;

/** Someone's question, and what came of it. */
export interface Thread {
        id: Ulid;
        /** counts from 1 */
        number: number;
        /** below zero too */
        balance: number;
        opened_at: Time;
        first: Reply;
        newest?: Reply;
        replies: Reply[];
        parent?: Thread;
        owner?: Person;
        tags: string[];
        lines?: string[];
        numbers: number[];
        roles: Role[];
        flags: boolean[];
        extra: unknown;
        small?: unknown;
}
export const thread_limits = {
        number: { min: 1 },
        balance: { min: -100, max: 100 },
        replies: { min_items: 0, max_items: 100 },
        tags: { min: 1, max: 40, min_items: 0, max_items: 32 },
        lines: { min: 1, max: 80, min_items: 1, max_items: 10 },
        numbers: { min: -5, max: 5, min_items: 0, max_items: 3 },
        roles: { min_items: 0, max_items: 3 },
        flags: { min_items: 0, max_items: 4 },
} as const satisfies Record<string, Limit>;

export interface DeskDescribeParams {
}
export interface DeskDescribeResult {
        document: unknown;
}

/** A thread begins. */
export interface ThreadCreateParams {
        /** Made by the client, and the same when it tries again: then it acts once. */
        op_id?: Ulid;
        subject: string;
        body: Markdown;
}
export interface ThreadCreateResult extends Thread {
        /** The command's id, as it is in the log. */
        op_id: Ulid;
        /** Where the command's events end. */
        cursor?: string;
}
export const thread_create_limits = {
        subject: { min: 1, max: 200 },
        body: { min: 0, max: 65536 },
} as const satisfies Record<string, Limit>;

/** On several lines, attributes in any order, several fields on a line. @deprecated */
export interface ThreadSetParams {
        /** Made by the client, and the same when it tries again: then it acts once. */
        op_id?: Ulid;
        id: Ulid;
        subject?: string;
        to?: Role;
}
export interface ThreadSetResult {
        /** The command's id, as it is in the log. */
        op_id: Ulid;
        /** Where the command's events end. */
        cursor?: string;
        changed: boolean;
}
export const thread_set_limits = {
        subject: { min: 1, max: 200 },
} as const satisfies Record<string, Limit>;

export interface ThreadTouchParams {
        /** Made by the client, and the same when it tries again: then it acts once. */
        op_id?: Ulid;
        id: Ulid;
}
export interface ThreadTouchResult {
        /** The command's id, as it is in the log. */
        op_id: Ulid;
        /** Where the command's events end. */
        cursor?: string;
}

/** What `POST /rpc` takes. */
export interface Methods {
        "desk.describe": { params: DeskDescribeParams; result: DeskDescribeResult };
        "thread.create": { params: ThreadCreateParams; result: ThreadCreateResult };
        "thread.set": { params: ThreadSetParams; result: ThreadSetResult };
        "thread.touch": { params: ThreadTouchParams; result: ThreadTouchResult };
}
export type MethodName = keyof Methods;

/** The least that a caller must be. */
export const method_role = {
        "desk.describe": "anyone",
        "thread.create": "customer",
        "thread.set": "agent",
        "thread.touch": "agent",
} as const satisfies Record<MethodName, string>;

/** What takes an op_id: who is in doubt sends it again with the same one. */
export const mutations = [
        "thread.create",
        "thread.set",
        "thread.touch",
] as const satisfies readonly MethodName[];
export type Mutation = (typeof mutations)[number];

export interface ThreadFindParams {
}
export interface ThreadFindResult extends Reply {
}

export interface ThreadMailParams {
}
export interface ThreadMailResult {
}

/** What has a route of its own; the desk itself fills in where a request is from. */
export interface Routes {
        "thread.find": { params: ThreadFindParams; result: ThreadFindResult };
        "thread.mail": { params: ThreadMailParams; result: ThreadMailResult };
}

export interface PersonChangedEvent {
        person: Person;
}

export interface ThreadRepliedEvent {
        thread: Ulid;
        reply: Reply;
}

export interface ThreadWatchedEvent {
}

/** The data of each event. */
export interface Events {
        "person.changed": PersonChangedEvent;
        "thread.replied": ThreadRepliedEvent;
        "thread.watched": ThreadWatchedEvent;
}
export type EventName = keyof Events;

/** An event as a WebSocket carries it. Ephemeral ones have neither op_id nor actor. */
export type AnyEvent = {
        [N in EventName]: { type: N; data: Events[N]; at: Time; op_id?: Ulid; actor?: Ulid };
}[EventName];

/** Those that are never logged, nor told again. */
export const ephemeral_events = [
        "thread.watched",
] as const satisfies readonly EventName[];

export const error_code = {
        /** Somebody was faster. */
        Conflict: -32004,
        NotFound: -32003,
} as const;
export type ErrorName = keyof typeof error_code;
