// Nothing is lost, and nothing needs a reload: cables that are pulled, tabs that agree, services that restart.
import { equal } from "node:assert/strict";
import { axe, screenshot, story, until } from "./harness.mjs";
import { come_in, kept, known, sees } from "./people.mjs";

/** A customer's ticket, and an agent who has it open. */
async function opened(desk, browser) {
        const linus = await desk.member("linus@example.org", "Linus Lund");
        const { number, id } = await linus("ticket.create", { subject: "The VPN does not start", body: "Since this morning." });
        await desk.user("agnes@example.org", "Agnes Aalto", "agent");
        const agnes = await browser("agnes");
        const page = await come_in(desk, agnes, "agnes@example.org");
        await page.goto(`/t/${number}?v=all`);
        await sees(page, "Since this morning.");
        return { linus, agnes, page, number, id };
}

story("what is written without a network is kept, said, and sent when it is back", async ({ desk, browser }) => {
        const { linus, agnes, page, number } = await opened(desk, browser);

        await agnes.plug(false);
        await page.getByLabel("Your reply").fill("Please turn it off and on again.");
        await page.keyboard.press("Control+Enter");
        await sees(page, /^Offline/);
        await sees(page, "Waits for the desk");
        await sees(page, "1 change waits to be sent");
        await axe(page);
        await screenshot(page, "offline");
        await page.getByLabel("State", { exact: true }).selectOption("pending");
        await sees(page, "2 changes wait to be sent");

        // a crash of the browser loses neither
        await known(agnes, page);
        await until("both are kept", async () => await kept(page, "queue") === 2);
        await agnes.crash();
        await agnes.plug(true);
        await agnes.start();
        const again = await agnes.open(`/t/${number}`);
        await sees(again, "Please turn it off and on again.");
        await until("the desk has both", async () => {
                const { ticket } = await linus("ticket.get", { number });
                return ticket.comments === 2 && ticket.state === "pending";
        });
        await again.getByText(/waits? to be sent/).waitFor({ state: "detached" });
        equal(await again.getByText("Please turn it off and on again.").count(), 1);
});

story("where the browser keeps nothing, a change that waits says that the page must stay open, and is sent all the same", async ({ desk, browser }) => {
        const { linus, agnes, page, id } = await opened(desk, browser);
        await page.addInitScript(() => { IDBFactory.prototype.open = () => { throw new DOMException("no room", "QuotaExceededError"); }; });
        await page.reload();
        await sees(page, "Since this morning.");
        await agnes.plug(false);
        await page.getByLabel("Your reply").fill("Please turn it off and on again.");
        await page.keyboard.press("Control+Enter");
        await sees(page, "This browser keeps nothing: leave the page open until then.");
        await axe(page);
        await agnes.plug(true);
        await until("it is sent", async () => (await linus("comment.list", { ticket: id })).items.length === 2);
        await page.getByText("This browser keeps nothing").waitFor({ state: "detached" });
});

story("a page goes on where it was through restarts of every service, without a reload", async ({ desk, browser }) => {
        const { linus, page, id } = await opened(desk, browser);
        await page.evaluate(() => { window.here = true; });
        await page.getByLabel("Your reply").fill("half a sentence");
        let said = 0;
        for (const service of ["gateway", "fanout", "store", "identity"]) {
                await desk.call("crash", service);
                await until(`${service} is back`, () => linus("comment.add", { ticket: id, body: `Still down, ${++said}` }).then(() => true, () => false));
                await sees(page, `Still down, ${said}`);
        }
        equal(await page.evaluate(() => window.here), true);
        equal(await page.getByLabel("Your reply").inputValue(), "half a sentence");
        const bodies = await page.locator(".entry .words").allInnerTexts();
        equal(new Set(bodies).size, bodies.length, "nothing stands there twice");
});

story("a page that is left open for longer than a session goes on as if nothing were", async ({ desk, browser }) => {
        const { linus, page, id } = await opened(desk, browser);
        const ben = await desk.member("ben@example.org", "Ben", "agent");
        await page.evaluate(() => { window.here = true; });
        await page.getByLabel("Your reply").fill("Written before the night");
        await desk.call("shift_clock", 13 * 60 * 60);
        await ben("note.add", { ticket: id, body: "Good morning." }); // a reply would have to be read before she sends hers
        await sees(page, "Good morning.");
        equal(await page.getByLabel("Your reply").inputValue(), "Written before the night");
        await page.keyboard.press("Control+Enter");
        await until("it is sent", async () => (await linus("comment.list", { ticket: id })).items.some(({ body }) => body === "Written before the night"));
        equal(await page.evaluate(() => window.here), true);
});

story("a page comes through a restore from a backup: what is lost goes away, and what follows comes live", async ({ desk, browser }) => {
        const { linus, agnes, page, number, id } = await opened(desk, browser);
        await page.evaluate(() => { window.here = true; });
        const ben = await desk.member("ben@example.org", "Ben", "agent");
        const { name } = JSON.parse(await desk.ctl("--json", "backup"));
        await linus("comment.add", { ticket: id, body: "Of the lost future." });
        await sees(page, "Of the lost future.");
        await linus("ticket.create", { subject: "Lost as well", body: "It never was." });
        await sees(page, "Lost as well");
        await ben("note.add", { ticket: id, body: "@Agnes Aalto: look at this" });
        const [mentions, history] = await Promise.all([agnes.open("/mentions"), agnes.open(`/t/${number}?v=all`)]);
        const named = mentions.getByRole("main").getByRole("link", { name: /The VPN does not start/ });
        await named.waitFor();
        await history.getByRole("button", { name: "Actions", exact: true }).click();
        await history.locator(".menu:popover-open").getByRole("button", { name: "History" }).click();
        const noted = history.getByRole("dialog").getByRole("listitem").filter({ hasText: "wrote a note" });
        await noted.waitFor();
        await desk.call("restore", name);
        await named.waitFor({ state: "detached" });
        await noted.waitFor({ state: "detached" });
        await page.getByText("Of the lost future.").waitFor({ state: "detached" });
        await page.getByText("Lost as well").waitFor({ state: "detached" });
        await linus("comment.add", { ticket: id, body: "It goes on." });
        await sees(page, "It goes on.");
        await sees(page, "Since this morning.");
        equal(await page.evaluate(() => window.here), true);
        await axe(page);
});

story("two tabs agree, and the title says what is unread", async ({ desk, browser }) => {
        const linus = await desk.member("linus@example.org", "Linus Lund");
        const { number, id } = await linus("ticket.create", { subject: "The VPN does not start", body: "Since this morning." });
        await desk.user("agnes@example.org", "Agnes Aalto", "agent");
        const agnes = await browser("agnes");
        const one = await come_in(desk, agnes, "agnes@example.org");
        await one.goto("/?v=all");
        const two = await agnes.open(`/t/${number}?v=all`);
        await two.getByLabel("Assignee").selectOption("Agnes Aalto");
        await one.bringToFront();
        await one.getByRole("link", { name: /The VPN/ }).waitFor();
        await one.goto("/?v=mine");
        await one.getByRole("link", { name: /The VPN/ }).waitFor();
        await linus("comment.add", { ticket: id, body: "Hello? Anybody?" });
        await until("the title says so", async () => /^\(1\) /.test(await one.title()));
        await one.getByText("1 unread message").waitFor({ state: "attached" });

        // it is read in one tab, and both know
        await two.bringToFront();
        await sees(two, "Hello? Anybody?");
        await two.getByRole("region", { name: "Conversation" }).evaluate((thread) => thread.scrollTo(0, thread.scrollHeight));
        await until("both titles are quiet", async () => !/\(/.test(await one.title()) && !/\(/.test(await two.title()));

        // what is written in one tab stands in the other's draft
        const saved = two.waitForResponse((response) => response.request().postData()?.includes("draft.save"));
        await two.getByLabel("Your reply").fill("We are on it.");
        await saved;
        await one.goto(`/t/${number}`);
        await until("the draft is here", async () => await one.getByLabel("Your reply").inputValue() === "We are on it.");
});

story("whom the desk no longer lets in is told, and what was theirs is gone from the browser", async ({ desk, browser }) => {
        await desk.user("agnes@example.org", "Agnes Aalto", "agent");
        const linus = await desk.member("linus@example.org", "Linus Lund");
        await linus("ticket.create", { subject: "Secret of Linus", body: "A body." });
        const agnes = await browser("agnes");
        const page = await come_in(desk, agnes, "agnes@example.org");
        await page.goto("/?v=all");
        await sees(page, "Secret of Linus");

        // another role: another page, without a reload
        await desk.ctl("user", "set", "agnes@example.org", "--role", "customer");
        await sees(page, "Your tickets");
        await page.getByText("Secret of Linus").waitFor({ state: "detached" });
        await desk.ctl("user", "disable", "agnes@example.org");
        await sees(page, "This device was disconnected");
        await axe(page);
        equal(await kept(page), 0);
        equal(await page.evaluate(() => localStorage.getItem("assist.device")), null);
});
