// The link of the mail: on the device that asked it brings the code along, anywhere else it says who asked, and no more.
import { equal, match } from "node:assert/strict";
import { axe, story, until } from "./harness.mjs";
import { sees } from "./people.mjs";

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
