// A desk that is at work while somebody looks at it, and what that costs the page.
const PACE_MS = 50; // 20 events a second

/** One change of a ticket by somebody else: each gives one event. */
export const changes = [
        (member, { id }, n) => member("ticket.set", { ticket: id, priority: ["low", "normal", "high", "urgent"][n % 4] }),
        (member, { id }, n) => member("comment.add", { ticket: id, body: `Said while you look, **${n}**.` }),
        (member, { id }, n) => member("ticket.set", { ticket: id, subject: `Something else, ${n}` }),
];

/** Changes tickets at 20 a second until the answer's `end` is called; that answers how many it were, and in how many seconds. */
export function at_work(member, tickets) {
        const begun = performance.now();
        let n = 0, over = false;
        const done = (async () => {
                for (; !over; n++) {
                        await changes[n % 3](member, tickets[n % tickets.length], n);
                        await new Promise((next) => setTimeout(next, begun + (n + 1) * PACE_MS - performance.now()));
                }
        })();
        return async () => {
                over = true;
                await done;
                return { events: n, seconds: (performance.now() - begun) / 1000 };
        };
}

/** The tasks of a page's main thread while something is done: [{ms, wall_ms, parts}], the longest first. ms: of the processor; wall_ms is more where others had it; parts:
 *  what took how much of the wall_ms. */
export async function traced(page, run) {
        const cdp = await page.context().newCDPSession(page);
        const events = [];
        cdp.on("Tracing.dataCollected", ({ value }) => events.push(...value));
        await cdp.send("Tracing.start", { traceConfig: { includedCategories: ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline", "v8", "__metadata"] } });
        await run();
        const complete = new Promise((done) => cdp.once("Tracing.tracingComplete", done));
        await cdp.send("Tracing.end");
        await complete;
        await cdp.detach();
        const mains = new Set(events.filter((e) => e.name === "thread_name" && e.args.name === "CrRendererMain").map((e) => `${e.pid}/${e.tid}`));
        const of_main = events.filter((e) => e.ph === "X" && mains.has(`${e.pid}/${e.tid}`));
        const tasks = of_main.filter((e) => e.name === "RunTask");
        return tasks.sort((a, b) => b.tdur - a.tdur).map((task, i) => {
                const parts = {};
                if (i < 10)
                        for (const e of of_main)
                                if (e !== task && e.dur > 2000 && e.ts >= task.ts && e.ts + e.dur <= task.ts + task.dur && `${e.pid}/${e.tid}` === `${task.pid}/${task.tid}`)
                                        parts[e.name] = Math.round(Math.max(parts[e.name] ?? 0, e.dur / 1000));
                return { ms: task.tdur / 1000, wall_ms: task.dur / 1000, parts };
        });
}

/** What a page holds once its garbage is gone. */
export async function held(page) {
        const cdp = await page.context().newCDPSession(page);
        // twice: what waits for a finalizer goes with the second one
        for (let i = 0; i < 2; i++)
                await cdp.send("HeapProfiler.collectGarbage");
        const { usedSize } = await cdp.send("Runtime.getHeapUsage");
        const { nodes, jsEventListeners } = await cdp.send("Memory.getDOMCounters");
        await cdp.detach();
        return { bytes: usedSize, nodes, listeners: jsEventListeners };
}

/** Why the second is more than noise above the first; empty where it is not: `bytes` more, and a few elements. */
export function growth(before, after, bytes) {
        const limits = { bytes: before.bytes + bytes, nodes: before.nodes * 1.1 + 100, listeners: before.listeners * 1.1 + 20 };
        return Object.entries(limits).filter(([what, most]) => after[what] > most).map(([what]) => `${what}: ${before[what]} became ${after[what]}`);
}
