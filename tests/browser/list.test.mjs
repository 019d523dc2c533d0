// The list that agents work through: views, search, keys, many at once, and two thousand tickets of which a screenful is there.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { axe, pictures, story, until } from "./harness.mjs";
import { come_in, sees } from "./people.mjs";

const ROWS_MAX = 60;
const ROW_HEIGHT = 74;

const rows = (page) => page.locator(".list-row");
const row = (page, text) => rows(page).filter({ hasText: text });
const search = (page) => page.getByRole("searchbox", { name: "Search tickets" });
const subjects = (page) => page.locator(".list-row .subject").allInnerTexts();
const opens = (page, name) => page.getByRole("navigation", { name: "Views" }).getByRole("link", { name });

async function an_agent(desk, browser, { role = "agent", ...options } = {}) {
        await desk.user("agnes@example.org", "Agnes Aalto", role);
        const agnes = await browser("agnes", { viewport: { width: 1500, height: 900 }, ...options });
        return { agnes, page: await come_in(desk, agnes, "agnes@example.org") };
}

story("thousands of tickets scroll by, in order, each once, and a screenful is there", async ({ desk, browser }) => {
        await desk.ctl("seed", "--tickets", "2000");
        const { page } = await an_agent(desk, browser);
        await opens(page, "All tickets").click();
        await page.getByLabel("Order").selectOption("Newest");
        await rows(page).nth(10).waitFor();
        const order = [], most = [];
        const look = () => page.evaluate(() => [...document.querySelectorAll(".list-row")]
                .map((row) => [Number(row.getAttribute("aria-posinset")), Number(row.querySelector(".number").textContent.slice(1))]));
        await until("all have been seen", async () => {
                const seen = await look();
                most.push(seen.length);
                for (const [position, number] of seen) {
                        ok(order[position - 1] === undefined || order[position - 1] === number, `position ${position}: #${order[position - 1]}, then #${number}`);
                        order[position - 1] = number;
                }
                const missing = order.findIndex((number) => number === undefined), next = missing < 0 ? order.length : missing;
                await page.locator(".list-scroll").evaluate((box, top) => box.scrollTo(0, top), next * ROW_HEIGHT);
                return next >= 2000;
        }, 120_000);
        ok(Math.max(...most) < ROWS_MAX, `${Math.max(...most)} rows at once`);
        equal(new Set(order).size, 2000, "none twice, and none missing");
        deepEqual(order, [...order].sort((a, b) => b - a));
        await until("the rows know how many there are", async () => await rows(page).last().getAttribute("aria-setsize") === "2000");
        await axe(page);

        // dense rows are half as high, and stay so
        await page.goto("/settings");
        await page.getByLabel("Lists").selectOption("Dense");
        await page.goto("/?v=all");
        await rows(page).first().waitFor();
        equal((await rows(page).first().boundingBox()).height, 52);
        ok(await rows(page).count() < ROWS_MAX);
        await pictures(page, "list-dense");
});

story("views show what they say, and how many: made of filters, changed, removed", async ({ desk, browser }) => {
        const linus = await desk.member("linus@example.org", "Linus Lund");
        const otto = await desk.member("otto@example.org", "Otto Olsen", "agent");
        const ids = [];
        for (const subject of ["The printer burns", "The VPN is slow", "A new chair"])
                ids.push((await linus("ticket.create", { subject, body: "Please help." })).id);
        const { page } = await an_agent(desk, browser);
        await sees(page, "Nothing here");
        await opens(page, "Unassigned").click();
        await rows(page).nth(2).waitFor();
        deepEqual(await subjects(page), ["The printer burns", "The VPN is slow", "A new chair"], "the oldest first");
        await page.getByLabel("Order").selectOption("Newest");
        await until("the newest first", async () => (await subjects(page))[0] === "A new chair");

        // somebody takes one: it goes from here, and comes to theirs
        await otto("ticket.set", { ticket: ids[0], assignee: (await otto("person.list")).items.find(({ name }) => name === "Agnes Aalto").id });
        await row(page, "The printer burns").waitFor({ state: "detached" });
        await opens(page, "My open tickets").click();
        await row(page, "The printer burns").waitFor();
        await row(page, "The printer burns").getByRole("img", { name: "Agnes Aalto" }).waitFor();

        await search(page).fill("tag:vpn -state:closed");
        await sees(page, "No ticket has all of these words.");
        await page.getByRole("button", { name: "Save as a view" }).click();
        equal(await page.getByLabel("Filters").inputValue(), "tag:vpn -state:closed");
        await page.getByLabel("Name", { exact: true }).fill("VPN");
        await axe(page);
        await page.getByRole("button", { name: "Save", exact: true }).click();
        await opens(page, /^VPN/).waitFor();
        await until("the search is over", async () => await search(page).inputValue() === "");
        const counts = (n) => until(`it counts ${n}`, async () => await opens(page, /^VPN/).locator(".count").textContent() === String(n));
        await counts(0);
        await otto("ticket.set", { ticket: ids[1], add_tags: ["vpn"] });
        await counts(1);
        await row(page, "The VPN is slow").waitFor();
        await otto("ticket.set", { ticket: ids[1], subject: "The VPN is very slow" });
        await row(page, "The VPN is very slow").waitFor();

        // its filters are changed; what no filter is, is said where it is written
        await page.getByRole("button", { name: "Edit this view" }).click();
        await page.getByLabel("Filters").fill("tag:vpn colour:red");
        await page.getByRole("button", { name: "Save", exact: true }).click();
        await page.getByRole("dialog").getByRole("alert").waitFor();
        match(await page.getByRole("dialog").getByRole("alert").innerText(), /colour/);
        await axe(page);
        await page.getByLabel("Filters").fill("-tag:vpn");
        await page.getByRole("dialog").getByLabel("Order").selectOption("Oldest");
        await page.getByRole("button", { name: "Save", exact: true }).click();
        await counts(2);
        await until("what it has now is there", async () => JSON.stringify(await subjects(page)) === '["The printer burns","A new chair"]');
        await page.getByLabel("Order").selectOption("Newest");
        await until("in another order", async () => (await subjects(page))[0] === "A new chair");
        await page.getByRole("button", { name: "Edit this view" }).click();
        await page.getByRole("button", { name: "Remove this view" }).click();
        await opens(page, /^VPN/).waitFor({ state: "detached" });
        await page.getByRole("heading", { name: "My open tickets" }).waitFor();
});

story("what is searched for is found while it is typed, and what can't be understood is pointed at", async ({ desk, browser }) => {
        const linus = await desk.member("linus@example.org", "Linus Lund");
        await linus("ticket.create", { subject: "The printer burns", body: "There is smoke in the Zürich office, and the alarm rings." });
        await linus("ticket.create", { subject: "The VPN is slow", body: "Since this morning." });
        const { page } = await an_agent(desk, browser);
        await page.goto("/?v=all");
        await rows(page).nth(1).waitFor();
        await page.keyboard.press("/");
        await page.keyboard.type("zuri", { delay: 30 });
        await row(page, "The VPN is slow").waitFor({ state: "detached" });
        await until("the word is marked", async () => await row(page, "The printer burns").locator("mark").textContent() === "Zürich");
        match(page.url(), /q=zuri/);
        equal(await page.getByRole("combobox", { name: "Order" }).count(), 0, "what is found has its own order");
        await axe(page);
        await pictures(page, "search");
        await page.keyboard.press("Escape");
        await row(page, "The VPN is slow").waitFor();
        equal(await search(page).inputValue(), "");

        await search(page).fill("smoke colour:red");
        const alert = page.getByRole("region", { name: "Tickets" }).getByRole("alert");
        await alert.waitFor();
        match(await alert.innerText(), /column 7|colour/);
        match(await alert.innerText(), /\b7\b/, "where it is");
        await axe(page);
        await search(page).fill("smoke");
        await alert.waitFor({ state: "detached" });
        await row(page, "The printer burns").waitFor();
});

story("what rests shows when it wakes, and who looks at a ticket shows in its row", async ({ desk, browser }) => {
        const linus = await desk.member("linus@example.org", "Linus Lund");
        const { number, id } = await linus("ticket.create", { subject: "The printer burns", body: "Smoke!" });
        await linus("ticket.create", { subject: "The VPN is slow", body: "Since this morning." });
        await desk.user("otto@example.org", "Otto Olsen", "agent");
        const { page } = await an_agent(desk, browser);
        await page.goto("/?v=all");
        await row(page, "The printer burns").waitFor();
        const otto = await browser("otto");
        const other = await come_in(desk, otto, "otto@example.org");
        await other.goto(`/t/${number}`);
        await row(page, "The printer burns").getByRole("img", { name: "Otto Olsen" }).waitFor();
        await axe(page);
        await other.goto("/settings");
        await row(page, "The printer burns").getByRole("img", { name: "Otto Olsen" }).waitFor({ state: "detached" });

        equal(await row(page, "The printer burns").getByText("1 unread message").count(), 1);
        await row(page, "The printer burns").getByRole("link").click();
        await row(page, "The printer burns").getByText("1 unread message").waitFor({ state: "detached" });
        await page.getByRole("button", { name: "Snooze" }).click();
        await page.getByRole("button", { name: "For an hour" }).click();
        await row(page, "The printer burns").getByTitle(/^Snoozed until /).waitFor();
        await opens(page, "Snoozed").click();
        await row(page, "The printer burns").waitFor();
        equal(await rows(page).count(), 1);
        await row(page, "The printer burns").getByRole("link").click();
        await page.getByRole("button", { name: "Snooze" }).click();
        await page.getByRole("button", { name: "End the snooze" }).click();
        await row(page, "The printer burns").waitFor({ state: "detached" });

        // a reply wakes what rests until there is one
        await page.getByRole("button", { name: "Snooze" }).click();
        await page.getByRole("button", { name: "Until a reply" }).click();
        await row(page, "The printer burns").getByTitle("Snoozed until a reply").waitFor();
        await linus("comment.add", { ticket: id, body: "It still burns." });
        await row(page, "The printer burns").waitFor({ state: "detached" });
});

story("many tickets change at once: looked at first, done as one, and taken back as one", async ({ desk, browser }) => {
        const linus = await desk.member("linus@example.org", "Linus Lund");
        for (const subject of ["One", "Two", "Three", "Four"])
                await linus("ticket.create", { subject, body: "Help." });
        const { page } = await an_agent(desk, browser);
        await page.goto("/?v=all&order=oldest");
        await rows(page).nth(3).waitFor();
        await page.keyboard.press("j");
        await page.keyboard.press("x");
        await page.keyboard.press("j");
        await page.keyboard.press("x");
        await page.getByRole("checkbox", { name: "Select #4" }).check();
        await sees(page, "3 selected");
        await axe(page);
        await page.getByRole("button", { name: "What to change" }).click();
        await page.getByLabel("Set the priority").selectOption("Urgent");
        await page.getByLabel("Add a tag").fill("fire");
        await page.getByRole("button", { name: "Preview" }).click();
        await sees(page, "3 tickets would change");
        await axe(page);
        await pictures(page, "bulk");
        await page.getByRole("button", { name: "Change them" }).click();
        await sees(page, "3 tickets changed");
        await until("the rows say so", async () => await page.locator(".list-row .pill.urgent").count() === 3);
        equal(await page.locator(".bulk-bar").count(), 0);
        await page.getByRole("status").getByRole("button", { name: "Undo" }).click();
        await until("the rows are as they were", async () => await page.locator(".list-row .pill.urgent").count() === 0);
});

story("a list is worked through by keys, and whatever else by the first letters of it", async ({ desk, browser }) => {
        const linus = await desk.member("linus@example.org", "Linus Lund");
        for (let i = 1; i <= 45; i++)
                await linus("ticket.create", { subject: `Ticket ${i}.`, body: "Help." });
        const { page } = await an_agent(desk, browser);
        await page.goto("/?v=all&order=oldest");
        await rows(page).nth(5).waitFor();
        const at = () => page.evaluate(() => document.activeElement.closest(".list-row")?.querySelector(".subject").textContent);
        const arrives = (subject) => until(`the focus is on ${subject}`, async () => await at() === subject);
        await page.keyboard.press("j");
        await arrives("Ticket 1.");
        for (let i = 2; i <= 20; i++) {
                await page.keyboard.press("j");
                await arrives(`Ticket ${i}.`);
        }
        await page.keyboard.press("k");
        await arrives("Ticket 19.");
        await page.keyboard.press("Enter");
        await page.getByRole("heading", { name: /Ticket 19\./ }).waitFor();
        await page.keyboard.press("j");
        await page.getByRole("heading", { name: /Ticket 20\./ }).waitFor();
        await page.keyboard.press("u");
        await sees(page, "Pick a ticket");
        await arrives("Ticket 20.");
        await page.keyboard.press("n");
        await until("the subject can be written", () => page.evaluate(() => document.activeElement.matches("input") && location.pathname === "/new"));
        await page.goBack();
        await page.keyboard.press("?");
        await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
        await axe(page);
        await page.keyboard.press("Escape");

        await page.keyboard.press("Control+k");
        await page.getByRole("listbox", { name: "Commands" }).waitFor();
        await page.keyboard.type("unass");
        const chosen = page.getByRole("listbox", { name: "Commands" }).getByRole("option", { selected: true });
        equal(await chosen.innerText(), "Go to Unassigned");
        await axe(page);
        await pictures(page, "palette");
        await page.keyboard.press("Enter");
        await page.getByRole("heading", { name: "Unassigned" }).waitFor();
        await page.keyboard.press("Control+k");
        await page.keyboard.type("#42");
        await page.keyboard.press("Enter");
        await page.getByRole("heading", { name: /Ticket 42\./ }).waitFor();
        await page.keyboard.press("Control+k");
        await page.keyboard.type("priority");
        const first = await chosen.innerText();
        await page.keyboard.press("ArrowDown");
        ok(await chosen.innerText() !== first);
        await page.keyboard.press("ArrowUp");
        equal(await chosen.innerText(), first);
        await page.keyboard.type(" urgent");
        equal(await chosen.innerText(), "Priority: Urgent");
        await page.keyboard.press("Enter");
        await until("it is urgent", async () => (await linus("ticket.get", { number: 42 })).ticket.priority === "urgent");
        await page.keyboard.press("Control+k");
        await page.keyboard.type("qqqq");
        await sees(page, "No such command");
        await page.keyboard.press("Escape");
        await page.getByRole("dialog").waitFor({ state: "detached" });
});
