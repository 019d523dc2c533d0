// The link of the mail: on the device that asked it brings the code along, anywhere else it says who asked, and no more.
import { equal, match } from "node:assert/strict";
import { axe, pictures, story, until } from "./harness.mjs";
import { come_in, sees } from "./people.mjs";

story("the mailed link leads on where it was asked for, and says by whom elsewhere", async ({ desk, browser }) => {
        await desk.user("linus@example.org", "Linus", "customer");
        const [linus, other] = await Promise.all([browser("linus"), browser("other")]);
        const page = await linus.open("/");
        await page.getByLabel("Email address").fill("linus@example.org");
        await page.getByLabel("Name of this device").fill("Kitchen laptop");
        await page.getByRole("button", { name: "Send me a code" }).click();
        const link = (await until("the mail is there", async () => (await desk.call("links")).length && desk.call("links")))[0];
        match(link, /\/bind#[0-9A-Z]{8}&label=Kitchen%20laptop$/);

        const elsewhere = await other.open(link);
        await sees(elsewhere, "A device called “Kitchen laptop” asked for this code");
        equal(await elsewhere.getByLabel("Code from the mail").count(), 0);
        await axe(elsewhere);

        const tab = await linus.open(link);
        equal(await tab.getByLabel("Code from the mail").inputValue(), link.split("#")[1].slice(0, 8));
        await axe(tab);
        await tab.getByRole("button", { name: "Connect" }).click();
        await tab.getByRole("region", { name: "Tickets" }).waitFor();
});

story("each way that connecting fails is said where it failed, and what to do", async ({ desk, browser }) => {
        await desk.user("linus@example.org", "Linus", "customer");
        const linus = await browser("linus");
        const page = await linus.open("/");
        const alert = page.getByRole("alert");
        const says = async (text) => {
                await alert.filter({ hasText: text }).waitFor();
                await axe(page);
        };
        const email = page.getByLabel("Email address"), label = page.getByLabel("Name of this device"), code = page.getByLabel("Code from the mail");
        const send = page.getByRole("button", { name: "Send me a code" }), connect = page.getByRole("button", { name: "Connect" });
        await email.fill("linus");
        await label.fill("Küche");
        await send.click();
        await says("That is no email address.");
        await says("Use 1 to 40 letters, digits, spaces, . _ or -");
        equal(await email.getAttribute("aria-invalid"), "true");
        await email.fill("linus@example.org");
        await send.click();
        await alert.filter({ hasText: "email" }).waitFor({ state: "detached" });
        await says("Use 1 to 40 letters");
        await label.fill("Kitchen laptop");

        // the cable is out: nothing is lost, and it goes on once it is back
        await linus.plug(false);
        await send.click();
        await says("The desk does not answer. Check the connection");
        equal(await email.inputValue(), "linus@example.org");
        await linus.plug(true);
        const before = await desk.call("mails");
        await until("the desk answers again", async () => {
                if (await code.count() === 0)
                        await send.click().catch(() => undefined);
                return await code.count() === 1;
        });
        const good = await desk.call("code", "linus@example.org", before);
        await code.fill("12");
        await connect.click();
        await says("A code has 8 letters and digits.");
        const bad = (n) => `${n}${good.replace(/-/g, "").slice(1)}` === good.replace(/-/g, "") ? "00000000" : `${n}${good.replace(/-/g, "").slice(1)}`;
        for (const n of [2, 3, 4, 5, 6]) {
                await code.fill(bad(n));
                await connect.click();
                await says("That is not the code.");
                await code.fill("");
                await connect.click();
                await says("A code has 8 letters");
        }
        await code.fill(good);
        await connect.click();
        await says("This device has no code that is still good");
        equal(await code.getAttribute("aria-invalid"), "true");

        // another one is asked for, until there were too many
        await until("there were too many", async () => {
                await page.getByRole("button", { name: "Send another code" }).click();
                await until("it is answered", () => page.getByRole("button", { name: "Send another code" }).isEnabled());
                return await alert.filter({ hasText: /Too many tries/ }).count() === 1;
        });
        await axe(page);
        await pictures(page, "bind-limited");
        await page.getByRole("button", { name: "Use another address" }).click();
        await email.waitFor();
});

story("a code that came too late is said to be over, and another one is a step away", async ({ desk, browser }) => {
        await desk.user("linus@example.org", "Linus", "customer");
        const linus = await browser("linus");
        const page = await linus.open("/");
        const code = page.getByLabel("Code from the mail"), connect = page.getByRole("button", { name: "Connect" });
        await page.getByLabel("Email address").fill("linus@example.org");
        const none = await desk.call("mails");
        await page.getByRole("button", { name: "Send me a code" }).click();
        const late = await desk.call("code", "linus@example.org", none), one = await desk.call("mails");
        await desk.call("shift_clock", 16 * 60);
        await code.fill(late);
        await connect.click();
        await page.getByRole("alert").filter({ hasText: "This device has no code that is still good: it was used, is too old" }).waitFor();
        equal(await code.getAttribute("aria-invalid"), "true");
        await axe(page);
        await page.getByRole("button", { name: "Send another code" }).click();
        await code.fill(await desk.call("code", "linus@example.org", one));
        await connect.click();
        await page.getByRole("region", { name: "Tickets" }).waitFor();
});

story("a device that is disconnected, or was another desk's, is told so and can connect again", async ({ desk, browser }) => {
        await desk.user("linus@example.org", "Linus", "customer");
        const linus = await browser("linus");
        const page = await come_in(desk, linus, "linus@example.org");
        const kept = () => page.evaluate(() => JSON.parse(localStorage.getItem("assist.device")));
        const { project } = await kept();
        await page.evaluate((key) => {
                const device = JSON.parse(localStorage.getItem("assist.device"));
                localStorage.setItem("assist.device", JSON.stringify({ ...device, project: key }));
        }, project.replace(/^./, (c) => c === "A" ? "B" : "A"));
        await page.reload();
        await sees(page, "This is another desk than the one that this browser was connected to.");
        await axe(page);
        await come_in(desk, linus, "linus@example.org", { page });
        equal((await kept()).project, project);

        await page.goto("/settings");
        await page.getByRole("button", { name: "Forget this device" }).click();
        await page.getByRole("button", { name: "Yes, do it" }).click();
        await page.getByLabel("Email address").waitFor();
        equal(await page.getByRole("alert").count(), 0, "who went away is told nothing about it");
        equal(await kept(), null);
});
