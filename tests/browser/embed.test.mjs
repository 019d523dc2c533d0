// A product's page with <assist-support>: by http it shows the desk in a frame, by https a link; sites that the operator did not name show nothing.
import { equal, match, ok } from "node:assert/strict";
import { axe, screenshot, story } from "./harness.mjs";

const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>A shop</title><main><h1>A shop</h1>
        <assist-support project="DESK" label="Ask us"></assist-support></main><script src="DESK/embed.js"></script></html>`;
const SITES = /^asked https?:\/\/(shop|thief)\.example/;

story("a site that may shows the desk in a frame", async ({ desk, browser }) => {
        const { address, port } = await desk.call("site", PAGE, false);
        await desk.call("configure", { gateway: { embed_origins: `http://shop.example:${port}` } });
        await desk.call("restart", "gateway");
        const shop = await browser("visitor", { flags: [`--host-resolver-rules=MAP *.example ${address}`] });
        shop.expect(SITES);
        const page = shop.context.pages()[0];
        await page.goto(`http://shop.example:${port}/`);
        const button = page.getByRole("button", { name: "Ask us" });
        equal(await button.getAttribute("aria-expanded"), "false");
        await button.press("Enter");
        equal(await button.getAttribute("aria-expanded"), "true");
        await page.frameLocator("iframe").getByRole("heading").first().waitFor();
        const frame = page.frames().find((one) => one.url() === `${desk.origin}/embed`);
        ok(!await frame.evaluate(() => isSecureContext));
        await axe(page);

        // an admin binds in the frame, which is a device of its own, and may do there what a customer may
        await desk.user("ada@example.org", "Ada", "admin");
        const inside = page.frameLocator("iframe"), before = await desk.call("mails");
        await inside.getByLabel("Email address").fill("ada@example.org");
        await inside.getByRole("button", { name: "Send me a code" }).click();
        await inside.getByLabel("Code from the mail").fill(await desk.call("code_without_link", "ada@example.org", before));
        await inside.getByRole("button", { name: "Connect" }).click();
        await inside.getByRole("link", { name: "New ticket" }).first().waitFor();
        equal(await inside.getByRole("link", { name: "Administration" }).count(), 0);
        const { secret, role } = await frame.evaluate(() => JSON.parse(localStorage.getItem("assist.device")));
        equal(role, "customer");
        await screenshot(page, "embedded");
        const whole = await shop.open("/");
        await whole.getByLabel("Email address").waitFor(); // its storage is another one
        ok(!JSON.stringify(await whole.evaluate(() => ({ ...localStorage }))).includes(secret));
        await whole.close();
        await button.click();
        ok(await page.locator("iframe").isHidden());

        shop.expect(/frame-ancestors/);
        await page.goto(`http://thief.example:${port}/`);
        await page.getByRole("button", { name: "Ask us" }).click();
        await page.waitForFunction(() => document.querySelector("assist-support").shadowRoot.querySelector("iframe"));
        await page.waitForLoadState("networkidle");
        ok(!page.frames().some((one) => one.url().startsWith(desk.origin)), "the frame is shown");
});

story("by https it is a link to the program that shows desks", async ({ desk, browser }) => {
        const { address, port } = await desk.call("site", PAGE, true);
        const visitor = await browser("visitor", { flags: [`--host-resolver-rules=MAP shop.example ${address}`], ignoreHTTPSErrors: true });
        visitor.expect(SITES);
        const script = await (await (await visitor.context.newPage()).goto("/embed.js")).text();
        const page = visitor.context.pages()[0];
        await page.goto(`https://shop.example:${port}/`);
        await page.addScriptTag({ content: script }); // the product's own copy: a browser takes none from http there
        const link = page.getByRole("link", { name: "Ask us" });
        equal(await link.getAttribute("href"), desk.origin.replace("http:", "hero-assist:"));
        match(await page.locator("assist-support p").textContent(), /can't show the support desk inside this page/);
        equal(await page.locator("iframe").count(), 0);
});
