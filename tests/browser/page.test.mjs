// The page itself: what a stranger's browser is given, and what it is held to.
import { deepEqual, equal, match } from "node:assert/strict";
import { axe, pictures, story, until } from "./harness.mjs";
import { come_in } from "./people.mjs";

story("a stranger's browser shows the page", async ({ browser }) => {
        const [ann, linus] = await Promise.all([browser("ann"), browser("linus")]);
        for (const one of [ann, linus]) {
                const page = await one.open("/");
                await page.getByRole("heading", { level: 1 }).waitFor();
                await axe(page);
        }
        const page = ann.context.pages()[0];
        match(await page.evaluate(() => location.origin), /^http:\/\/\[200:/);
        deepEqual(await page.evaluate(() => ["serviceWorker" in navigator, "randomUUID" in crypto, crypto.subtle]), [false, false, undefined]);
        await pictures(page, "first-page");
});

story("a page that breaks its policy is found out", async ({ browser }) => {
        const eve = await browser("eve");
        const page = await eve.open("/");
        await page.evaluate(() => {
                const script = document.createElement("script");
                script.append("window.ran = true");
                document.body.append(script);
        }).catch(() => undefined);
        await page.evaluate(() => { document.body.setAttribute("style", "color: red"); });
        await page.evaluate(() => fetch("http://[200:1::1]:1/").catch(() => undefined));
        await page.evaluate(() => { document.body.innerHTML = "<b>"; }).catch(() => undefined);
        equal(await page.evaluate(() => window.ran), undefined);
        for (const directive of [/script/, /style-src/, /connect-src/, /require-trusted-types-for/])
                match(eve.problems.join("\n"), directive);
        eve.problems.length = 0;
});

story("a device keeps what it kept, through a crash and a cut cable", async ({ desk, browser }) => {
        const ann = await browser("ann");
        let page = await ann.open("/");
        await page.evaluate(() => localStorage.setItem("kept", "through a crash"));
        await ann.written("through a crash");
        await ann.crash();
        await ann.start();
        page = await ann.open("/");
        equal(await page.evaluate(() => localStorage.getItem("kept")), "through a crash");
        const asks = () => page.evaluate(() => fetch("/healthz", { signal: AbortSignal.timeout(1000) }).then((a) => a.status, () => 0));
        equal(await asks(), 200);
        await ann.plug(false);
        equal(await asks(), 0);
        await ann.plug(true);
        await until("the desk answers again", async () => await asks() === 200);

        await desk.user("ann@example.org", "Ann", "agent");
        match((await ann.bind("ann@example.org")).secret, /^[0-9a-f]{64}$/);
        const linus = await desk.member("linus@example.org", "Linus");
        equal((await linus("ticket.create", { subject: "It burns", body: "Help!" })).number, 1);
});

story("a page of a version that the desk has no more says so, and loads the new one", async ({ desk, browser }) => {
        await desk.user("ann@example.org", "Ann", "agent");
        const ann = await browser("ann");
        const page = await come_in(desk, ann, "ann@example.org");
        await page.route(/\/assets\/settings-/, (route) => route.fulfill({ status: 404, body: "" }));
        await page.evaluate(() => { window.here = true; });
        await page.getByRole("link", { name: "Ann", exact: true }).click();
        await page.getByText("newer version of this page").waitFor();
        await page.unroute(/\/assets\/settings-/);
        await page.getByRole("button", { name: "Load it" }).click();
        await page.getByRole("heading", { name: "Settings" }).waitFor();
        equal(await page.evaluate(() => window.here), undefined);
});
