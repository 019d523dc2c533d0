// The pictures of docs/web.md: a desk with something to do, as its people see it. build/screenshots/docs-*.png
import { screenshot, story, until } from "./harness.mjs";
import { come_in, paste, picture, sees } from "./people.mjs";

const DESK = { width: 1280, height: 800 }, PHONE = { width: 390, height: 780 };

story("the pictures of the documentation", async ({ desk, browser }) => {
        await desk.ctl("project", "set", "Lundgren & Co.");
        await desk.ctl("seed", "--tickets", "40");
        await desk.user("linus@example.org", "Linus Lund");
        const otto = await desk.member("otto@example.org", "Otto Olsen", "agent");
        await desk.user("agnes@example.org", "Agnes Aalto", "admin");
        const [linus, agnes] = await Promise.all([browser("linus", { viewport: PHONE }), browser("agnes", { viewport: DESK })]);
        const customer = await come_in(desk, linus, "linus@example.org");
        const agent = await come_in(desk, agnes, "agnes@example.org");
        const both = async (page, name) => {
                for (const colorScheme of ["light", "dark"]) {
                        await page.emulateMedia({ colorScheme });
                        await screenshot(page, `docs-${name}-${colorScheme}`);
                }
                await page.emulateMedia({ colorScheme: null });
        };
        await customer.goto("/new");
        await customer.getByLabel("Subject").fill("The VPN does not start");
        const body = customer.getByLabel("What is it about?");
        await body.fill("Since this morning I see **this**, at home and in the office:");
        await paste(customer, body, await picture(customer));
        const create = customer.getByRole("button", { name: "Create the ticket" });
        await until("the picture is there", () => create.isEnabled());
        await create.click();
        await sees(customer, "Since this morning");
        await customer.getByRole("button", { name: "Dismiss" }).click();
        const { items: [ticket] } = await otto("ticket.list", { limit: 1 });
        await otto("ticket.set", { ticket: ticket.id, priority: "high", add_tags: ["vpn"] });
        await otto("note.add", { ticket: ticket.id, body: "The third one today. @Agnes Aalto: is it **gateway 7** again?" });

        const ada = await desk.member("ada@example.org", "Ada Admin", "admin");
        for (const [name, query] of [["VPN", "tag:vpn"], ["High and open", "priority:high -state:closed"]])
                await ada("view.save", { name, query, order: "changed", shared: true });
        await agent.goto(`/t/${ticket.number}?v=all`);
        await agent.getByRole("img", { name: "image.png" }).waitFor();
        await agent.getByLabel("Your reply").fill("Thank you for the picture! Please restart it once more: it was our ");
        await sees(customer, /Agnes Aalto is/);
        await until("the picture shows", () => agent.getByRole("img", { name: "image.png" }).evaluate((img) => img.naturalWidth === 640));
        await both(agent, "desk");
        await until("the picture shows", () => customer.getByRole("img", { name: "image.png" }).evaluate((img) => img.naturalWidth === 640));
        await screenshot(customer, "docs-phone-ticket");
        await customer.goto("/");
        await customer.locator(".list-row").first().waitFor();
        await agent.goto("/?v=all&q=password");
        await agent.locator(".list-row mark").first().waitFor();
        await screenshot(agent, "docs-search");
        await agent.keyboard.press("Control+k");
        await agent.getByRole("listbox", { name: "Commands" }).waitFor();
        await agent.keyboard.type("go to");
        await screenshot(agent, "docs-commands");
        await agent.goto("/admin/audit");
        await agent.getByRole("button", { name: "Verify the log" }).click();
        await agent.getByText(/ops, all as they were written/).waitFor();
        await agent.getByRole("region", { name: "Changes" }).getByRole("row").nth(5).waitFor();
        await screenshot(agent, "docs-audit");
        await desk.ctl("backup");
        await agent.goto("/ops");
        await agent.getByRole("region", { name: "store", exact: true }).locator(".chart canvas").nth(3).waitFor();
        await both(agent, "operations");
        await agent.setViewportSize(PHONE);
        await agent.goto("/?v=all");
        await agent.locator(".list-row").nth(3).waitFor();
        await agent.emulateMedia({ colorScheme: "dark" });
        await screenshot(agent, "docs-phone-list");
});
