// Work on a ticket: what is hostile stays inert, what collides is said, what was done can be undone.
import { deepEqual, equal, ok } from "node:assert/strict";
import { axe, pictures, story, until } from "./harness.mjs";
import { come_in, kept, known, paste, picture, sees } from "./people.mjs";

const HOSTILE = [
        "<script>window.hacked = 1</script>",
        "<img src=x onerror='window.hacked = 2'>",
        "<svg onload='window.hacked = 3'><script>window.hacked = 4</script></svg>",
        "[click](javascript:window.hacked=5)",
        "[click](data:text/html,<script>window.hacked=6</script>)",
        "![picture](http://[200:1::1]/track.png)",
        "<iframe srcdoc='<script>parent.hacked = 7</script>'></iframe>",
        "<a href='x' onclick='window.hacked = 8'>here</a>",
        "<style>body { display: none }</style><p style='position:fixed;inset:0'>cover</p>",
        "<form action='/rpc'><input name=x><button>go</button></form>",
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=window.hacked=9&gt;'>",
        "<details open ontoggle=window.hacked=10>",
        "<div id='app'></div><a id='content' name='desk'>clobber</a>",
        "`<b onmouseover=window.hacked=11>`\n\n```html\n<script>window.hacked = 12</script>\n```",
        "[a](vbscript:x) [b](\u0001javascript:window.hacked=13) [c](  javascript:window.hacked=14)",
        "<base href='http://[200:1::1]/'><meta http-equiv=refresh content='0;url=http://[200:1::1]/'>",
];

story("what is hostile in texts, names and files is shown, and does nothing", async ({ desk, browser }) => {
        const mallory = await desk.member("mallory@example.org", "<img src=x onerror=window.hacked=20> {{x}}");
        const { number, id } = await mallory("ticket.create", { subject: "\"><script>window.hacked = 21</script>", body: "Hello" });
        for (const body of HOSTILE)
                await mallory("comment.add", { ticket: id, body });
        await desk.user("agnes@example.org", "Agnes Aalto", "agent");
        await desk.ctl("user", "add", "svg@example.org", "--name", "Svg");
        const [agnes, svg] = await Promise.all([browser("agnes"), browser("svg")]);
        const customer = await come_in(desk, svg, "svg@example.org");
        await customer.goto("/new");
        await customer.getByLabel("Subject").fill("files");
        const body = customer.getByLabel("What is it about?");
        await body.fill("files");
        await customer.locator("input[type=file]").setInputFiles([
                { name: "evil\"onload=\"x.svg", mimeType: "image/svg+xml", buffer: Buffer.from("<svg xmlns='http://www.w3.org/2000/svg'><script>window.hacked = 22</script></svg>") },
                { name: "<b>page</b>.html", mimeType: "text/html", buffer: Buffer.from("<script>window.hacked = 23</script>") },
        ]);
        const create = customer.getByRole("button", { name: "Create the ticket" });
        await until("the files are there", () => create.isEnabled());
        await create.click();
        await sees(customer, "page</b>.html");

        const page = await come_in(desk, agnes, "agnes@example.org");
        await page.goto(`/t/${number}?v=all`);
        await until("all is shown", async () => await page.locator(".entry").count() === HOSTILE.length + 1);
        await page.locator(".entry .words").nth(HOSTILE.length).waitFor();
        await page.locator(".entry").last().hover();
        equal(await page.evaluate(() => window.hacked), undefined);
        deepEqual(await page.locator(".words").evaluateAll((all) => [...new Set(all.flatMap((words) => [...words.querySelectorAll("*")].map((e) => e.localName)))]
                .filter((name) => ["script", "style", "iframe", "form", "input", "img", "svg", "math", "base", "meta", "details"].includes(name))), []);
        deepEqual(await page.locator(".words a").evaluateAll((all) => all.map((a) => a.protocol).filter((p) => !/^(https?|mailto):/.test(p))), []);
        deepEqual(await page.locator(".words *").evaluateAll((all) => all.flatMap((e) => e.getAttributeNames()).filter((name) => /^on|^style$|^id$|^name$/.test(name))), []);
        await page.goto("/t/2?v=all");
        const download = page.getByRole("link", { name: /page<\/b>\.html/ });
        await until("it has its link", () => download.getAttribute("href"));
        equal(await page.locator(".file-image").count(), 0, "a picture that can run is no picture");
        equal(await page.evaluate(() => window.hacked), undefined);
});

story("who replies to what they have not read is told before", async ({ desk, browser }) => {
        const linus = await desk.member("linus@example.org", "Linus Lund");
        const { number, id } = await linus("ticket.create", { subject: "The VPN does not start", body: Array.from({ length: 60 }, (_, i) => `line ${i}`).join("\n\n") });
        await desk.user("agnes@example.org", "Agnes Aalto", "agent");
        const agnes = await browser("agnes");
        const page = await come_in(desk, agnes, "agnes@example.org");
        await page.goto(`/t/${number}`);
        await sees(page, "line 59");
        const thread = page.getByRole("region", { name: "Conversation" });
        await until("it stands at its end", () => thread.evaluate((e) => e.scrollTop + e.clientHeight > e.scrollHeight - 60));
        await page.getByLabel("Your reply").fill("Please restart it.");
        await thread.evaluate((e) => e.scrollTo(0, 0));
        await linus("comment.add", { ticket: id, body: "I restarted it." });
        await linus("comment.add", { ticket: id, body: "It works now!" });
        await sees(page, "2 new replies: read before you send");
        await axe(page);
        // sent all the same: the desk refuses, and the text is where it was
        await page.keyboard.press("Control+Enter");
        await sees(page, "Somebody replied meanwhile");
        equal(await page.getByLabel("Your reply").inputValue(), "Please restart it.");
        equal((await linus("ticket.get", { number })).ticket.comments, 3);
        await pictures(page, "collision");
        await page.getByLabel("Your reply").fill("Good to hear.");
        await page.getByRole("button", { name: "Send anyway" }).click();
        await until("it is there", async () => (await linus("ticket.get", { number })).ticket.comments === 4);
});

story("macros, merging, splitting and links, each with its way back", async ({ desk, browser }) => {
        const linus = await desk.member("linus@example.org", "Linus Lund");
        const first = await linus("ticket.create", { subject: "The VPN does not start", body: "Since this morning." });
        const second = await linus("ticket.create", { subject: "VPN again", body: "Still nothing." });
        await linus("comment.add", { ticket: first.id, body: "By the way, the printer is broken." });
        const admin = await desk.member("root@example.org", "Root", "admin");
        const { reply } = (await admin("reply.save", { name: "Restart", text: "Hello {requester.name}, please restart it." })).reply;
        await admin("macro.save", { name: "Ask to restart", state: "pending", assign: "me", add_tags: ["restart"], reply });
        await desk.user("agnes@example.org", "Agnes Aalto", "agent");
        const agnes = await browser("agnes", { viewport: { width: 1600, height: 900 } });
        const page = await come_in(desk, agnes, "agnes@example.org");
        const ticket = async (number) => (await admin("ticket.get", { number })).ticket;
        const menu = async (name, item) => {
                await page.getByRole("button", { name, exact: true }).click();
                await page.locator(".menu:popover-open").getByRole("button", { name: item }).click();
        };

        await page.goto(`/t/${first.number}?v=all`);
        await sees(page, "Since this morning.");
        await menu("Run a macro", "Ask to restart");
        await sees(page, "Hello Linus Lund, please restart it.");
        await until("it is done", async () => (await ticket(first.number)).state === "pending");
        deepEqual((await ticket(first.number)).tags, ["restart"]);
        await page.getByRole("status").getByRole("button", { name: "Undo" }).first().click();
        await until("it is undone", async () => (await ticket(first.number)).state !== "pending");
        await until("the page says so", async () => await page.getByLabel("State", { exact: true }).inputValue() !== "pending");

        await page.goto(`/t/${second.number}?v=all`);
        await sees(page, "Still nothing.");
        await menu("Actions", "Merge into another ticket");
        await page.getByLabel("Number of the ticket where it goes on").fill(`#${first.number}`);
        await axe(page);
        await page.getByRole("dialog").getByRole("button", { name: "Merge into another ticket" }).click();
        await sees(page, "This ticket goes on in another one.");
        await page.getByRole("link", { name: "Open it" }).click();
        await sees(page, "Still nothing.");
        await sees(page, "Since this morning.");
        await page.goBack();
        await menu("Actions", "Undo");
        await page.getByText("This ticket goes on in another one.").waitFor({ state: "detached" });

        await page.goto(`/t/${first.number}?v=all`);
        await sees(page, "the printer is broken");
        await menu("Actions", "Split messages off");
        await page.locator(".entry", { hasText: "the printer is broken" }).getByRole("checkbox").check();
        await page.getByLabel("Subject", { exact: true }).fill("The printer");
        await axe(page);
        await page.getByRole("button", { name: "Split messages off" }).last().click();
        await page.locator(".entry", { hasText: "the printer is broken" }).waitFor({ state: "detached" });
        equal((await ticket(3)).subject, "The printer");

        await menu("Actions", "Link to another ticket");
        await page.getByLabel("Number of the other ticket").fill("3");
        await page.getByRole("dialog").getByLabel("Links").selectOption("blocks");
        await page.getByRole("dialog").getByRole("button", { name: "Link to another ticket" }).click();
        await page.getByRole("complementary").getByRole("link", { name: /#3 The printer/ }).first().waitFor();

        await menu("Actions", "History");
        await page.getByText("As it was").first().waitFor();
        await page.getByRole("dialog").getByRole("listitem").filter({ hasText: /Linus Lund.*filed the ticket/ }).waitFor();
        await page.getByRole("dialog").getByRole("listitem").filter({ hasText: /Agnes Aalto.*linked it/ }).waitFor();
        await axe(page);
        await pictures(page, "history");
});

story("a draft survives a reload and a crash, and a picture that could not be sent is kept with its text", async ({ desk, browser }) => {
        const linus = await desk.member("linus@example.org", "Linus Lund");
        const { number } = await linus("ticket.create", { subject: "The VPN does not start", body: "Since this morning." });
        await desk.user("agnes@example.org", "Agnes Aalto", "agent");
        const agnes = await browser("agnes");
        let page = await come_in(desk, agnes, "agnes@example.org");
        await page.goto(`/t/${number}`);
        await sees(page, "Since this morning.");
        const bytes = await picture(page);
        await agnes.plug(false);
        const reply = () => page.getByLabel("Your reply");
        await reply().fill("Look here:");
        await paste(page, reply(), bytes);
        await page.getByRole("alert").getByText(/Not sent/).waitFor();
        await axe(page);
        await known(agnes, page);
        await until("both are kept", async () => await kept(page, "draft") === 1 && await kept(page, "file") === 1);
        await agnes.crash();
        await agnes.plug(true);
        await agnes.start();
        page = await until("the desk can be reached", () => agnes.open(`/t/${number}`).catch(() => undefined));
        await until("the text is back", async () => await reply().inputValue() === "Look here:");
        await page.locator(".upload img").waitFor();
        await until("the picture is at the desk", async () => await page.locator(".upload progress").count() === 0 && await page.locator(".upload.failed").count() === 0);
        await page.getByRole("button", { name: "Send", exact: true }).click();
        await until("the picture is in the thread", () => page.locator(".entry .file-image img").evaluateAll((all) => all.some((img) => img.naturalWidth === 640)));
        await page.locator(".file-image").click();
        await page.getByRole("dialog").getByRole("img").waitFor();
        await axe(page);
        await page.keyboard.press("Escape");
        ok(await page.locator(".composer .upload").count() === 0);
});
