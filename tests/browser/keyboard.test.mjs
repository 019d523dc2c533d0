// For whom a mouse is of no use: the whole story by keys, at any size, in either theme, and in French.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { axe, story, until } from "./harness.mjs";
import { come_in, paste, picture, sees } from "./people.mjs";

/** Where the focus is: it is somewhere, and it shows. */
async function focus_shows(page) {
        const at = await until("something has the focus", () => page.evaluate(() => {
                const element = document.activeElement;
                if (!element || element === document.body || !element.checkVisibility())
                        return undefined;
                const box = element.getBoundingClientRect(), style = getComputedStyle(element), around = getComputedStyle(element.closest(".box") ?? element);
                const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1 || around.boxShadow !== "none";
                return { what: element.outerHTML.slice(0, 160), ring: ring || element.matches(".main, dialog, .list-scroll, [tabindex='-1']"), inView: box.bottom > 0 && box.top < innerHeight };
        }), 5000);
        ok(at.ring, `no focus is seen on ${at.what}`);
        ok(at.inView, `the focus is out of view: ${at.what}`);
        return at.what;
}

/** Tab until what is asked for has the focus. */
async function tab_to(page, locator, back = false) {
        for (let i = 0; i < 80; i++) {
                if (await locator.evaluate((element) => element === document.activeElement).catch(() => false))
                        return focus_shows(page);
                await page.keyboard.press(back ? "Shift+Tab" : "Tab");
        }
        throw new Error(`Tab does not come to ${locator}`);
}

story("the whole story by keys alone, and the focus is never lost", async ({ desk, browser }) => {
        await desk.user("linus@example.org", "Linus Lund");
        await desk.user("agnes@example.org", "Agnes Aalto", "agent");
        const [linus, agnes] = await Promise.all([browser("linus"), browser("agnes", { reducedMotion: "reduce" })]);
        const binds = async (one, email) => {
                const page = await one.open("/"), before = await desk.call("mails");
                await tab_to(page, page.getByLabel("Email address"));
                await page.keyboard.type(email);
                await page.keyboard.press("Enter");
                const code = await desk.call("code", email, before);
                await page.getByLabel("Code from the mail").waitFor();
                await focus_shows(page);
                await page.keyboard.type(code);
                await page.keyboard.press("Enter");
                await page.getByRole("region", { name: "Tickets" }).waitFor();
                await focus_shows(page);
                return page;
        };
        const customer = await binds(linus, "linus@example.org");
        const agent = await binds(agnes, "agnes@example.org");

        await customer.keyboard.press("n");
        await until("the subject is written first", async () => /input/.test(await focus_shows(customer)));
        await customer.keyboard.type("The VPN does not start");
        await tab_to(customer, customer.getByLabel("What is it about?"));
        await customer.keyboard.type("Since this morning.");
        await paste(customer, customer.getByLabel("What is it about?"), await picture(customer));
        const create = customer.getByRole("button", { name: "Create the ticket" });
        await until("the picture is there", () => create.isEnabled());
        await tab_to(customer, create);
        await customer.keyboard.press("Enter");
        await sees(customer, "Since this morning.");
        await focus_shows(customer);

        // the agent finds it by a word, opens it, and answers
        await agent.keyboard.press("/");
        await focus_shows(agent);
        await agent.keyboard.type("vpn");
        const found = agent.locator(".list-row a").first();
        await found.waitFor();
        await tab_to(agent, found);
        await agent.keyboard.press("Enter");
        await sees(agent, "Since this morning.");
        await focus_shows(agent);
        await agent.keyboard.press("r");
        await until("the reply can be written", async () => /textarea/.test(await focus_shows(agent)));
        await agent.keyboard.type("Please turn it off and on again.");
        await agent.keyboard.press("Control+Enter");
        await sees(customer, "Please turn it off and on again.");
        await focus_shows(agent);
        await agent.keyboard.press("Escape");
        await tab_to(agent, agent.getByRole("tab", { name: "Note" }), true);
        await agent.keyboard.press("Enter");
        await until("the note can be written", async () => /textarea/.test(await focus_shows(agent)));
        await agent.keyboard.type("Gateway 7?");
        await tab_to(agent, agent.getByRole("button", { name: "Add note" }));
        await agent.keyboard.press("Enter");
        await sees(agent, "Gateway 7?");
        await focus_shows(agent);

        // the picture, the menus and dialogs: each gives the focus back
        const back = async (opener, what) => {
                await tab_to(agent, opener, true);
                await agent.keyboard.press("Enter");
                await what.waitFor();
                await focus_shows(agent);
                await agent.keyboard.press("Escape");
                await what.waitFor({ state: "hidden" });
                await focus_shows(agent);
                ok(await opener.evaluate((element) => element === document.activeElement), `${opener} has the focus again`);
        };
        await back(agent.getByRole("button", { name: "Show image.png" }), agent.getByRole("dialog"));
        const actions = agent.getByRole("button", { name: "Actions" });
        await back(actions, agent.getByRole("button", { name: "History" }));
        await actions.focus();
        await agent.keyboard.press("Enter");
        await agent.getByRole("button", { name: "History" }).waitFor();
        for (let i = 0; i < 3; i++)
                await agent.keyboard.press("ArrowDown");
        await agent.keyboard.press("Enter");
        await agent.getByRole("dialog", { name: "History" }).waitFor();
        await focus_shows(agent);
        await agent.keyboard.press("Escape");
        await agent.getByRole("dialog").waitFor({ state: "detached" });
        await focus_shows(agent);
        await agent.keyboard.press("Control+k");
        await focus_shows(agent);
        await agent.keyboard.type("state solved");
        await agent.keyboard.press("Enter");
        await sees(customer, "Solved");
        await focus_shows(agent);
        await agent.keyboard.press("u");
        await sees(agent, "Pick a ticket");
        match(await focus_shows(agent), /<a |"main"/);
        const moving = await agent.evaluate(() => document.getAnimations().length);
        equal(moving, 0, "nothing moves for whom that is no good");
});

const PAGES = ["/", "/?v=all", "/t/1?v=all", "/new", "/settings", "/mentions", "/admin", "/admin/teams", "/admin/macros", "/admin/audit", "/admin/project", "/ops", "/nowhere/at/all"];

async function a_desk_with_something_in_it(desk, browser) {
        const linus = await desk.member("linus@example.org", "Linus Lund");
        const { id } = await linus("ticket.create", { subject: "VPN", body: "42" });
        await desk.user("ada@example.org", "Ada Aalto", "admin");
        const ada = await browser("ada", { viewport: { width: 1280, height: 800 } });
        const page = await come_in(desk, ada, "ada@example.org");
        return { page, id, linus };
}

/** Everything of a page has come. */
const settled = async (page) => {
        await page.locator("h1").filter({ visible: true }).first().waitFor();
        await page.waitForFunction(() => !/^(Loading|Chargement)/m.test(document.body.innerText));
        await page.waitForLoadState("networkidle");
};

story("every page holds at 200 %, and in both themes", async ({ desk, browser }) => {
        const { page } = await a_desk_with_something_in_it(desk, browser);
        for (const path of PAGES) {
                await page.setViewportSize({ width: 640, height: 400 });
                await page.emulateMedia({ colorScheme: "light" });
                await page.goto(path);
                await settled(page);
                const wide = await page.evaluate(() => [document.documentElement, ...document.querySelectorAll(".main, .list")]
                        .filter((element) => element.checkVisibility() && element.scrollWidth > element.clientWidth).map((element) => `${element.localName}: ${element.scrollWidth} of ${element.clientWidth}`));
                deepEqual(wide, [], `${path} scrolls sideways`);
                await axe(page);
                await page.setViewportSize({ width: 1280, height: 800 });
                await page.emulateMedia({ colorScheme: "dark" });
                await axe(page);
        }
});

/** The texts of a catalogue, by their keys. */
const catalogue = (language) => Object.fromEntries([...readFileSync(new URL(`../../clients/web/src/text/${language}.ts`, import.meta.url), "utf8")
        .matchAll(/^ {2}'([^']+)':\s*'((?:[^'\\]|\\.)*)',$/gm)].map(([, key, text]) => [key, text]));

story("in French no English is left", async ({ desk, browser }) => {
        const { page } = await a_desk_with_something_in_it(desk, browser);
        await page.evaluate(() => localStorage.setItem("assist.language", '"fr"'));
        const en = catalogue("en"), fr = catalogue("fr");
        deepEqual(Object.keys(fr), Object.keys(en));
        const french = new Set(Object.values(fr).flatMap((text) => text.split("|")));
        const english = new Set(Object.values(en).flatMap((text) => text.split("|")).filter((text) => !/\{/.test(text) && /[a-z]{3}/i.test(text) && !french.has(text)));
        ok(english.size > 200);
        const left = () => page.evaluate((words) => {
                const said = [], there = new Set(words);
                const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
                while (walk.nextNode()) {
                        if (!walk.currentNode.parentElement.closest("script, style, [lang=en], code"))
                                said.push(walk.currentNode.textContent.trim());
                }
                for (const element of document.querySelectorAll("[aria-label], [title], [placeholder], [alt]"))
                        said.push(...["aria-label", "title", "placeholder", "alt"].map((name) => element.getAttribute(name) ?? ""));
                const months = /\b(January|February|March|April|June|July|August|September|October|November|December|Nov|Oct|Dec|ago|yesterday|now)\b/;
                return said.filter((text) => there.has(text) || months.test(text));
        }, [...english]);
        for (const path of PAGES) {
                await page.goto(path);
                await settled(page);
                equal(await page.evaluate(() => document.documentElement.lang), "fr");
                deepEqual(await left(), [], path);
                await axe(page);
        }
        await page.goto("/t/1?v=all");
        await settled(page);
        await page.keyboard.press("?");
        await page.getByRole("dialog").waitFor();
        deepEqual(await left(), [], "the keys");
        await page.keyboard.press("Escape");
        await page.keyboard.press("Control+k");
        await page.getByRole("listbox").waitFor();
        deepEqual(await left(), [], "the commands");

        // and back, without a reload
        await page.keyboard.type("english");
        await page.keyboard.press("Enter");
        await page.getByRole("link", { name: "All tickets" }).waitFor();
        equal(await page.evaluate(() => document.documentElement.lang), "en");
});
