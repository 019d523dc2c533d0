// What the desk's pages cost a browser: `node tests/bench/browser.mjs [--tickets=N] [--events=N] [--seconds=N]`. Chromium's own trace says how long each task of the
// page's main thread took, while somebody scrolls all tickets, and writes a reply, and others change 20 tickets a second. docs/performance.md.
import { parseArgs } from "node:util";
import { story, until } from "../browser/harness.mjs";
import { at_work, changes, growth, held, traced } from "../browser/load.mjs";
import { come_in, sees } from "../browser/people.mjs";

const { values } = parseArgs({ options: {
        tickets: { type: "string", default: "5000" }, events: { type: "string", default: "10000" }, seconds: { type: "string", default: "20" },
} });
const TICKETS = Number(values.tickets), EVENTS = Number(values.events), SECONDS = Number(values.seconds);
const SEEDED = 5000; // at a time: a call has its end
const LONG_MS = 50, ROUND_TRIP_MS = 500;
const REPLY = "Thank you for the details. Please restart the machine, open the settings, and tell us what stands there under the third heading. ".repeat(3).slice(0, 300);

const figure = (what, value) => console.log(`${what.padEnd(64)} ${value}`);

function report(what, tasks, { events, seconds }) {
        figure(`${what}: events a second`, (events / seconds).toFixed(1));
        const over = (by) => tasks.filter((task) => task[by] > LONG_MS).length;
        figure(`${what}: tasks; over ${LONG_MS} ms by the processor, by the clock`, `${tasks.length}; ${over("ms")}, ${over("wall_ms")}`);
        for (const [by, name] of [["ms", "the processor"], ["wall_ms", "the clock"]]) {
                const felt = tasks.map((task) => task[by]).filter((ms) => ms > 1).sort((a, b) => b - a);
                figure(`${what}: longest, p99 of those over 1 ms, by ${name}`, `${felt[0].toFixed(1)} ms, ${felt[Math.floor(felt.length / 100)].toFixed(1)} ms`);
        }
        for (const { ms, wall_ms, parts } of tasks.slice(0, 3))
                console.log(`        ${ms.toFixed(1)} ms (${wall_ms.toFixed(1)}): ${Object.entries(parts).sort((a, b) => b[1] - a[1]).slice(0, 8).map(([name, part]) => `${name} ${part}`).join(", ")}`);
}

async function scrolls(page, member, tickets) {
        await page.goto("/?v=all");
        const list = page.locator(".list-scroll");
        await list.locator("a").first().waitFor();
        await list.hover();
        let load;
        const tasks = await traced(page, async () => {
                const end = at_work(member, tickets);
                for (const until_ms = Date.now() + SECONDS * 1000; Date.now() < until_ms; await page.waitForTimeout(16))
                        await page.mouse.wheel(0, 1000);
                load = await end();
        });
        const at = await list.locator("li").last().getAttribute("aria-posinset");
        figure("scrolling: rows gone by", at);
        report("scrolling", tasks, load);
}

async function types(page, member, tickets) {
        await page.goto(`/t/${tickets[0].number}?v=all`);
        const reply = page.getByLabel("Your reply");
        await reply.click();
        let load;
        const tasks = await traced(page, async () => {
                const end = at_work(member, tickets);
                await page.keyboard.type(REPLY, { delay: 60 });
                load = await end();
        });
        if (await reply.inputValue() !== REPLY)
                throw new Error("the reply is another one than was typed");
        report("typing", tasks, load);
        await reply.fill("");
}

async function holds(page, member, tickets) {
        const work = async (from, n) => {
                for (let i = from; i < from + n; i++)
                        await changes[i % 3](member, tickets[1 + i % (tickets.length - 1)], i);
                const { id } = tickets.at(-1);
                await member("ticket.set", { ticket: id, subject: `The last of ${from + n}` });
                await until("the page has seen it", () => page.getByText(`The last of ${from + n}`).count());
                await page.waitForTimeout(2000);
        };
        await work(0, EVENTS / 10);
        const before = await held(page);
        await work(EVENTS, EVENTS / 2);
        const middle = await held(page);
        await work(2 * EVENTS, EVENTS / 2);
        const after = await held(page);
        for (const what of ["bytes", "nodes", "listeners"])
                figure(`${EVENTS} events: ${what} before, after half, after all`, `${before[what]}, ${middle[what]}, ${after[what]}`);
        figure(`${EVENTS} events: growth beyond noise`, growth(before, after, before.bytes / 10 + 1024 * 1024).join("; ") || "none");
}

/* The time from a page's HTML to the list's first row, on a line so slow that only round trips count. */
async function paints(page) {
        const cdp = await page.context().newCDPSession(page);
        await cdp.send("Network.enable");
        await cdp.send("Network.setCacheDisabled", { cacheDisabled: true });
        await cdp.send("Network.emulateNetworkConditions", { offline: false, latency: ROUND_TRIP_MS, downloadThroughput: -1, uploadThroughput: -1 });
        await page.goto("/?v=all", { waitUntil: "commit" });
        const painted = await page.evaluate(async () => {
                while (!document.querySelector(".list-row"))
                        await new Promise(requestAnimationFrame);
                return performance.now() - performance.getEntriesByType("navigation")[0].responseEnd;
        });
        figure("first row after the HTML, in round trips", (painted / ROUND_TRIP_MS).toFixed(1));
        await cdp.detach();
}

story(`a desk of ${TICKETS} tickets`, async ({ desk, browser }) => {
        const linus = await desk.member("linus@example.org", "Linus Lund", "agent");
        await desk.user("agnes@example.org", "Agnes Aalto", "agent");
        const agnes = await browser("agnes");
        const page = await come_in(desk, agnes, "agnes@example.org");
        for (let had = 0; had < TICKETS; had += SEEDED)
                await desk.ctl("seed", "--tickets", String(Math.min(SEEDED, TICKETS - had)), "--seed", String(1 + had / SEEDED));
        await page.setViewportSize({ width: 1280, height: 800 });
        const { items } = await linus("ticket.list", { limit: 200 });
        await page.goto("/?v=all");
        await page.locator(".list-row").first().waitFor();
        await paints(page);
        await scrolls(page, linus, items);
        await types(page, linus, items.slice(0, 40));
        await holds(page, linus, items.slice(0, 40));
        await sees(page, "The last of");
}, { proof: TICKETS <= SEEDED });
