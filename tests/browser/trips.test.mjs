// How far it is to the first list: what the page waits for, one after the other, before somebody who was here before sees their tickets.
import { ok } from "node:assert/strict";
import { story } from "./harness.mjs";
import { come_in } from "./people.mjs";

const DELAY_MS = 3000; // far more than the page itself takes on a busy machine
const TRIPS_MAX = 2;

story("the list of somebody who was here before shows after two round trips", async ({ desk, browser }) => {
        const linus = await desk.member("linus@example.org", "Linus Lund");
        for (let i = 1; i <= 30; i++)
                await linus("ticket.create", { subject: `Ticket ${i}`, body: "Help." });
        await desk.user("agnes@example.org", "Agnes Aalto", "agent");
        const agnes = await browser("agnes");
        const page = await come_in(desk, agnes, "agnes@example.org");
        await page.goto("/?v=all");
        await page.locator(".list-row").first().waitFor();
        await page.waitForLoadState("networkidle");

        // every request but the page's own takes so long, whatever the browser has kept: what it waits for stands one behind the other
        const asked = [];
        await page.route("**/*", async (route) => {
                if (route.request().resourceType() !== "document") {
                        asked.push(new URL(route.request().url()).pathname);
                        await new Promise((done) => setTimeout(done, DELAY_MS));
                }
                await route.continue().catch(() => undefined);
        });
        await page.reload({ waitUntil: "commit" });
        const from = Date.now();
        await page.locator(".list-row").first().waitFor();
        const trips = Math.floor((Date.now() - from) / DELAY_MS);
        ok(trips >= 1, "the page was not asked for anew");
        ok(trips <= TRIPS_MAX, `${trips} round trips: ${asked}`);
        await page.unrouteAll({ behavior: "ignoreErrors" });
});
