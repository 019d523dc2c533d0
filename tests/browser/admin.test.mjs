// What admins settle by the page: who is let in, how tickets are worked on, what was done, and how the services do.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { axe, pictures, story, until } from "./harness.mjs";
import { come_in, sees } from "./people.mjs";

const HEARTBEAT_MS = 25_000;
const WIDE = { viewport: { width: 1500, height: 900 } };
const dialog = (page) => page.getByRole("dialog");
const saved = (page) => page.getByRole("dialog").waitFor({ state: "detached" });

async function an_admin(desk, browser) {
        await desk.user("ada@example.org", "Ada Admin", "admin");
        const ada = await browser("ada", WIDE);
        return come_in(desk, ada, "ada@example.org");
}

story("an admin lets somebody in, changes what they may, sees their devices, and ends them", async ({ desk, browser }) => {
        const page = await an_admin(desk, browser);
        await page.goto("/admin");
        await page.getByRole("button", { name: "Let somebody in" }).click();
        await page.getByLabel("Name", { exact: true }).fill("Linus Lund");
        await page.getByLabel("Email address").fill("no address");
        await page.getByRole("button", { name: "Save" }).click();
        await dialog(page).getByRole("alert").waitFor();
        await axe(page);
        await page.getByLabel("Email address").fill("linus@example.org");
        await page.getByRole("button", { name: "Save" }).click();
        await saved(page);
        const line = page.getByRole("row", { name: /linus@example\.org/ });
        await line.getByText("Customer", { exact: true }).waitFor();
        const linus = await browser("linus");
        const his = await come_in(desk, linus, "linus@example.org");
        await sees(his, "You have no tickets yet");

        // another role: their page is another one at once
        await line.getByRole("button", { name: "Edit: Linus Lund" }).click();
        await page.getByLabel("Role").selectOption("Agent");
        await page.getByRole("button", { name: "Save" }).click();
        await saved(page);
        await line.getByText("Agent", { exact: true }).waitFor();
        await his.getByRole("link", { name: "Unassigned" }).waitFor();
        await page.getByLabel("Find by name or email").fill("lund");
        equal(await page.getByRole("row").count(), 2, "the head, and who was asked for");
        await pictures(page, "admin");

        // a device that is revoked is out at once: it is told, and does not find out when it asks next
        await line.getByRole("button", { name: "Edit: Linus Lund" }).click();
        await dialog(page).getByRole("button", { name: "Disconnect" }).click();
        await sees(page, /Disconnect Chrome Linux\?/);
        await axe(page);
        await page.getByRole("button", { name: "Yes, do it" }).click();
        const from = Date.now();
        await sees(his, "This device was disconnected");
        ok(Date.now() - from < HEARTBEAT_MS / 2, `${Date.now() - from} ms`);
        await dialog(page).getByText("now", { exact: true }).waitFor();
        equal(await dialog(page).getByRole("button", { name: "Disconnect" }).count(), 0);
        await axe(page);
        await page.keyboard.press("Escape");

        // who is let in no more has no code that works
        await line.getByRole("button", { name: "Edit: Linus Lund" }).click();
        await page.getByRole("button", { name: "Let in no more" }).click();
        await page.getByRole("button", { name: "Yes, do it" }).click();
        await line.getByText("not let in").waitFor();
        await line.getByRole("button", { name: "Edit: Linus Lund" }).click();
        await page.getByRole("button", { name: "Let in again" }).click();
        await line.getByText("not let in").waitFor({ state: "detached" });
        await axe(page);
});

story("what an admin defines is there for agents at once, and what is retired is not", async ({ desk, browser }) => {
        const linus = await desk.member("linus@example.org", "Linus Lund");
        const { number } = await linus("ticket.create", { subject: "The printer burns", body: "Smoke!" });
        await desk.user("otto@example.org", "Otto Olsen", "agent");
        const page = await an_admin(desk, browser);
        const otto = await browser("otto", { viewport: { width: 1700, height: 900 } });
        const agent = await come_in(desk, otto, "otto@example.org");
        await agent.goto(`/t/${number}?v=all`);
        await sees(agent, "Smoke!");
        await agent.evaluate(() => { window.here = true; });
        const side = agent.getByRole("complementary", { name: "Details" });
        const section = (name) => page.getByRole("navigation", { name: "Administration" }).getByRole("link", { name, exact: true }).click();
        const name = (text) => page.getByLabel("Name", { exact: true }).fill(text);
        const save = async () => {
                await page.getByRole("button", { name: "Save" }).click();
                await saved(page);
        };
        const adds = async (kind, text) => {
                await section(kind);
                await page.getByRole("button", { name: "Add", exact: true }).click();
                await name(text);
        };
        const edits = (text) => page.getByRole("button", { name: `Edit: ${text}` }).click();
        const options = (locator) => locator.locator("option").allTextContents();
        const offers = (label, text) => until(`${label} offers ${text}`, async () => (await options(side.getByRole("combobox", { name: label, exact: true }))).includes(text));

        await page.goto("/admin");
        await adds("Teams", "Printers");
        await page.getByLabel("Otto Olsen").check();
        await axe(page);
        await save();
        await offers("Team", "Printers");
        await adds("Types", "Fire");
        await page.getByLabel("Team").selectOption("Printers");
        await save();
        await offers("Type", "Fire");
        await adds("Fields", "Floor");
        await page.getByLabel("Key").fill("floor");
        await page.getByLabel("Kind").selectOption("Choice");
        await page.getByLabel("Choices").fill("First\nSecond\n");
        await axe(page);
        await save();
        await side.getByLabel("Floor").selectOption("Second");
        await until("the field is set", async () => (await linus("ticket.get", { number })).ticket.fields[0]?.value === "Second");
        await adds("Labels", "Waiting for parts");
        await save();
        await until("the state offers it", async () => (await options(agent.getByLabel("State", { exact: true }))).some((text) => text.includes("Waiting for parts")));
        await agent.getByLabel("State", { exact: true }).selectOption({ label: "  Waiting for parts" });
        await agent.locator(".list-row .pill", { hasText: "Waiting for parts" }).waitFor();
        await adds("Canned replies", "Off and on");
        await dialog(page).getByLabel("Text").fill("Hello {requester.name}, please turn it off and on again.");
        await save();
        await agent.getByRole("button", { name: "Insert a canned reply" }).click();
        await agent.getByRole("button", { name: "Off and on" }).click();
        await until("it is in the draft", async () => await agent.getByLabel("Your reply").inputValue() === "Hello Linus Lund, please turn it off and on again.");
        await agent.getByLabel("Your reply").fill("");
        await adds("Macros", "Put it out");
        await page.getByLabel("Set the state").selectOption("Solved");
        await page.getByLabel("Set the priority").selectOption("High");
        await page.getByLabel("Internal note").fill("It is out.");
        await axe(page);
        await save();
        for (const text of ["Set the state: Solved", "Set the priority: High", "Internal note: It is out."])
                await page.locator(".said", { hasText: text }).waitFor();
        await pictures(page, "admin-macros");
        await agent.getByRole("button", { name: "Run a macro" }).click();
        await agent.getByRole("button", { name: "Put it out" }).click();
        await sees(agent, "It is out.");
        await until("it is solved", async () => (await linus("ticket.get", { number })).ticket.state === "solved");

        // another name, and it is gone from what is offered
        await edits("Put it out");
        await name("Extinguish");
        await save();
        await agent.getByRole("button", { name: "Run a macro" }).click();
        await agent.getByRole("button", { name: "Extinguish" }).waitFor();
        await agent.keyboard.press("Escape");
        for (const [kind, text] of [["Macros", "Extinguish"], ["Canned replies", "Off and on"], ["Labels", "Waiting for parts"], ["Fields", "Floor"], ["Types", "Fire"], ["Teams", "Printers"]]) {
                await section(kind);
                await edits(text);
                await page.getByRole("button", { name: "Retire" }).click();
                await saved(page);
                await page.getByText("retired").waitFor();
                await axe(page);
        }
        await agent.getByRole("button", { name: "Run a macro" }).waitFor({ state: "detached" });
        await agent.getByRole("button", { name: "Insert a canned reply" }).waitFor({ state: "detached" });
        await until("the type is offered no more", async () => !(await options(side.getByRole("combobox", { name: "Type", exact: true }))).includes("Fire"));
        await edits("Printers");
        await page.getByRole("button", { name: "Use again" }).click();
        await saved(page);
        await page.getByText("retired").waitFor({ state: "detached" });

        // the desk's name stands on every page; what is typed stays when the one that it has comes late
        let type;
        const typed = new Promise((done) => { type = done; });
        await page.route("**/rpc", async (route) => {
                if (route.request().postData()?.includes("project.info"))
                        await typed;
                await route.continue();
        });
        await section("Project");
        await page.getByLabel("Name of the desk").fill("Fire brigade");
        type();
        await page.locator(".facts").waitFor();
        await page.unroute("**/rpc");
        await page.getByRole("button", { name: "Save" }).click();
        await agent.getByRole("navigation", { name: "Views" }).getByText("Fire brigade").waitFor();
        await until("the tab is named so", async () => /Fire brigade$/.test(await agent.title()));
        await page.getByRole("navigation", { name: "Views" }).getByText("Fire brigade").waitFor();
        await axe(page);
        await pictures(page, "admin-project");
        equal(await agent.evaluate(() => window.here), true, "without a reload");
});

story("the audit says who changed what, who looked, and that the log is as it was written", async ({ desk, browser }) => {
        const linus = await desk.member("linus@example.org", "Linus Lund");
        const otto = await desk.member("otto@example.org", "Otto Olsen", "agent");
        const one = await linus("ticket.create", { subject: "The printer burns", body: "Smoke!" });
        const two = await linus("ticket.create", { subject: "The VPN is slow", body: "Since this morning." });
        await otto("ticket.set", { ticket: one.id, priority: "urgent" });
        await otto("ticket.set", { ticket: two.id, state: "solved" });
        await linus("audit.list").catch(() => undefined);
        const page = await an_admin(desk, browser);
        await page.goto("/admin/audit");
        const changes = page.getByRole("region", { name: "Changes" });
        const line = (text) => changes.getByRole("row", { name: text });
        await line(/changed the priority.*ticket\.priority.*Normal.*Urgent/).waitFor();
        await line(/Otto Olsen/).first().waitFor();
        await page.getByLabel("Number of the ticket").fill(String(two.number));
        await line(/ticket\.priority/).waitFor({ state: "detached" });
        await line(/ticket\.state.*New.*Solved/).waitFor();
        await page.getByRole("combobox", { name: "Who" }).fill("Linus Lund");
        await page.keyboard.press("Enter");
        await line(/ticket\.state/).waitFor({ state: "detached" });
        await page.getByRole("combobox", { name: "Who" }).fill("Otto Olsen");
        await page.keyboard.press("Enter");
        await line(/ticket\.state/).waitFor();
        await page.getByLabel("From", { exact: true }).fill("2020-01-01");
        await page.getByLabel("Up to").fill("2020-01-02");
        await line(/ticket\.state/).waitFor({ state: "detached" });
        await sees(page, "Nothing was changed.");
        await axe(page);
        await page.getByLabel("Up to").fill("");
        await line(/ticket\.state/).waitFor();
        const accesses = page.getByRole("region", { name: "Views and refusals" });
        await accesses.getByRole("row", { name: /Linus Lund.*forbidden.*audit\.list/ }).waitFor();
        await page.getByRole("combobox", { name: "Views and refusals" }).selectOption("viewed");
        await accesses.getByRole("row", { name: /forbidden/ }).waitFor({ state: "detached" });

        const log = page.getByRole("region", { name: "The log" });
        await log.getByRole("button", { name: "Verify the log" }).click();
        await log.getByText(/ops, all as they were written/).waitFor();
        await axe(page);
        await pictures(page, "admin-audit");
        await page.reload();
        await log.getByText(/ops, all as they were written/).waitFor();
});

story("operations show every service, and one that is gone until it is back", async ({ desk, browser }) => {
        const page = await an_admin(desk, browser);
        await page.goto("/ops");
        const services = ["store", "identity", "fanout", "gateway", "mycelium-supervisor"];
        for (const name of services)
                await page.getByRole("region", { name: new RegExp(`^${name}`) }).first().getByText("running").waitFor();
        await sees(page, /All \d services run/);
        const store = page.getByRole("region", { name: "store", exact: true });
        await until("there are figures", async () => await store.locator(".chart").count() >= 3);
        await store.getByText("As a table").first().click();
        await store.getByRole("table").first().waitFor();
        await store.getByRole("columnheader", { name: "Calls a minute" }).waitFor();
        await sees(page, "No backup was made yet");
        await axe(page);
        await desk.ctl("backup");
        await page.getByText("Last backup").waitFor();
        await desk.ctl("call", "store.backup_kept", "--at", String(Date.now() - 3 * 86400000), "--bytes", "1000000");
        await sees(page, "The last backup is older than two days");
        await axe(page);
        await desk.ctl("backup");
        await page.getByText("The last backup is older").waitFor({ state: "detached" });
        equal(await page.getByText("No backup was made yet").count(), 0);
        await axe(page);
        await pictures(page, "ops");
        for (const name of ["fanout", "store"]) {
                await desk.call("kill", name);
                await page.getByRole("region", { name, exact: true }).getByText("not heard of").waitFor();
                await sees(page, `${name} is not heard of`);
                await axe(page);
                await desk.call("start", name);
                await page.getByRole("region", { name, exact: true }).getByText("running").waitFor();
        }
        await sees(page, /All \d services run/);
        await page.emulateMedia({ colorScheme: "dark" });
        await axe(page);
        deepEqual(await page.locator(".chart").evaluateAll((all) => all.filter((chart) => !chart.querySelector("table") && !chart.querySelector("details"))), []);
        match(await page.getByRole("heading", { level: 1 }).innerText(), /Operations/);
});
