// What one tab does to the browser, the others follow; and what a page holds does not grow with what happens.
import { deepEqual, equal } from "node:assert/strict";
import { story, until } from "./harness.mjs";
import { changes, growth, held } from "./load.mjs";
import { come_in, sees } from "./people.mjs";

// what code compiled and grew by itself was 200 bytes an event at first; a leak of 500 an event is above that
const WARM = 800, EVENTS = 1500, MORE_BYTES = 500_000;

story("a tab follows what another one binds, likes and lets the desk forget", async ({ desk, browser }) => {
        await desk.user("agnes@example.org", "Agnes Aalto", "agent");
        const agnes = await browser("agnes");
        const other = await agnes.open("/bind");
        await other.getByLabel("Email address").waitFor();
        const page = await come_in(desk, agnes, "agnes@example.org", { page: await agnes.open("/") });
        await other.getByRole("region", { name: "Tickets" }).waitFor();
        equal(new URL(other.url()).pathname, "/");
        await sees(other, "Agnes Aalto");

        await page.goto("/settings");
        await other.evaluate(() => { window.here = true; });
        await page.getByLabel("Appearance").selectOption("Dark");
        await until("the other tab is dark", () => other.evaluate(() => document.documentElement.dataset.theme === "dark"));

        await page.getByRole("button", { name: "Forget this device" }).click();
        await page.getByRole("button", { name: "Yes, do it" }).click();
        await other.getByLabel("Email address").waitFor();
        equal(await other.evaluate(() => window.here), true);
        equal(await other.evaluate(() => localStorage.getItem("assist.device")), null);
});

story("what a page holds does not grow with what happens", async ({ t, desk, browser }) => {
        const linus = await desk.member("linus@example.org", "Linus Lund", "agent");
        await desk.user("agnes@example.org", "Agnes Aalto", "agent");
        const tickets = [];
        for (let i = 0; i < 30; i++)
                tickets.push(await linus("ticket.create", { subject: `Ticket ${i}`, body: "A body." }));
        const agnes = await browser("agnes");
        const page = await come_in(desk, agnes, "agnes@example.org");
        const [open, ...others] = tickets;
        await page.goto(`/t/${open.number}?v=all`);
        await sees(page, "A body.");
        const work = async (from, n) => {
                for (let i = from; i < from + n; i++)
                        await changes[i % 3](linus, others[i % others.length], i);
                await linus("ticket.set", { ticket: open.id, subject: `Seen up to ${from + n}` });
                await page.getByRole("heading", { name: `Seen up to ${from + n}` }).waitFor();
                await until("the list is as the desk has it", async () => (await page.locator(".list-row .subject").first().innerText()) === `Seen up to ${from + n}`);
        };
        await work(0, WARM);
        const before = await held(page);
        await work(WARM, EVENTS);
        const after = await held(page);
        t.diagnostic(`${before.bytes} bytes, and ${after.bytes} after ${EVENTS} events`);
        deepEqual(growth(before, after, MORE_BYTES), []);
});
