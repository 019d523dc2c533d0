// Chromium as people have it: each a device of its own on an overlay, whose desk is at an address that no browser trusts in particular.
//
//     story("two people talk", async ({ desk, browser }) => {
//             const ann = await browser("ann");
//             const page = await ann.open("/");
//             await axe(page);
//             await pictures(page, "tickets");
//     });
//
// A story fails by itself where a page threw, broke its policy (scripts, styles, trusted types), asked another host for anything, or was
// in a secure context; and where the desk's log does not fold to its tables in the end.
import { ok, deepEqual } from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const require = createRequire(here("../../clients/web/package.json"));
const { chromium } = require("playwright-core");
const axe_source = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const build = resolve(process.env.ASSIST_BUILD ?? here("../../build"));
const PYTHON = "/usr/bin/python3"; // Debian's own: it has the modules
const DEADLINE_MS = 30_000;
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-dev-shm-usage"];
const why_not = spawnSync(PYTHON, [here("overlay_desk.py"), "--why-not"], { encoding: "utf8" }).stdout.trim();
if (why_not) {
        console.log(`skipped: ${why_not}`);
        process.exit(77); // as ctest is told
}

/** Waits until `condition` answers something true, and answers that. */
export async function until(what, condition, deadline_ms = DEADLINE_MS) {
        for (const end = Date.now() + deadline_ms; Date.now() < end; await new Promise((done) => setTimeout(done, 20))) {
                const value = await condition();
                if (value)
                        return value;
        }
        throw new Error(`not within ${deadline_ms} ms: ${what}`);
}

/** The processes of a desk. `call` is any method of overlay_desk.py's OverlayDesk: ctl, user, mails, code, restart, crash, log, ... */
class Desk {
        static async open(settings) {
                const desk = new Desk();
                desk.process = spawn(PYTHON, [here("overlay_desk.py")], { stdio: ["pipe", "pipe", "inherit"] });
                desk.asked = new Map();
                desk.number = 0;
                createInterface({ input: desk.process.stdout }).on("line", (line) => desk.answered(JSON.parse(line)));
                desk.process.on("exit", () => {
                        for (const { reject } of desk.asked.values())
                                reject(new Error("the desk is gone"));
                });
                Object.assign(desk, await desk.call("open", settings));
                return desk;
        }

        answered({ id, value, error }) {
                const { resolve, reject } = this.asked.get(id);
                this.asked.delete(id);
                if (error)
                        reject(new Error(error));
                else
                        resolve(value);
        }

        call(name, ...args) {
                const id = ++this.number;
                this.process.stdin.write(JSON.stringify({ id, call: name, args }) + "\n");
                return new Promise((resolve, reject) => this.asked.set(id, { resolve, reject }));
        }

        ctl(...args) {
                return this.call("ctl", ...args);
        }

        /** Lets somebody in, who has no device yet; answers their id. */
        user(email, name, role = "customer") {
                return this.call("user", email, name, role);
        }

        /** Somebody who is played by calls: `const linus = await desk.member(...); await linus("ticket.create", {...})`. */
        async member(email, name, role = "customer") {
                const address = await this.call("member_at_no_browser", email, name, role);
                return (method, params = {}) => this.call("rpc", address, method, params);
        }

        async close() {
                this.process.stdin.end();
                if (this.process.exitCode === null)
                        await once(this.process, "exit");
        }
}

/** Chromium on one device. Its profile, and so what pages keep, lives through `crash` and `start`. */
class Browser {
        static async open(desk, name, options) {
                const browser = new Browser();
                const { address, command } = await desk.call("browser", name);
                const folder = mkdtempSync(join(tmpdir(), "browser-"));
                const program = join(folder, "chromium");
                // Playwright has no storage apart for frames of other sites, as people's browsers do
                writeFileSync(program, `#!/bin/sh
export HOME=${folder}
echo $$ >${folder}/pid
for flag; do
        shift
        case $flag in --disable-features=*) flag=$(echo "$flag" | sed s/ThirdPartyStoragePartitioning,//) ;; esac
        set -- "$@" "$flag"
done
exec ${command.join(" ")} chromium "$@"
`);
                chmodSync(program, 0o755);
                Object.assign(browser, { desk, name, options, address, folder, program, problems: [], expected: [] });
                await browser.start();
                return browser;
        }

        async start() {
                const { flags = [], ...options } = this.options;
                this.context = await chromium.launchPersistentContext(join(this.folder, "profile"), {
                        executablePath: this.program, headless: true, args: [...FLAGS, ...flags], baseURL: this.desk.origin, ...options,
                });
                this.context.setDefaultTimeout(DEADLINE_MS);
                await this.context.exposeBinding("__problem", (_, what) => this.problem(what));
                await this.context.addInitScript(() => {
                        const say = window.__problem;
                        delete window.__problem;
                        document.addEventListener("securitypolicyviolation", (e) => {
                                say(`policy: ${e.effectiveDirective} of ${e.blockedURI} at ${e.sourceFile}:${e.lineNumber} ${e.sample}`);
                        });
                        if (isSecureContext && location.protocol === "http:")
                                say("a secure context");
                });
                for (const page of this.context.pages())
                        this.watch(page);
                this.context.on("page", (page) => this.watch(page));
        }

        watch(page) {
                page.on("pageerror", (error) => this.problem(`threw: ${error.stack ?? error}`));
                page.on("console", (message) => {
                        if (/Content Security Policy|Trusted ?Type/i.test(message.text()))
                                this.problem(`policy: ${message.text()}`);
                });
                page.on("request", (request) => {
                        const url = new URL(request.url());
                        if (!["blob:", "data:", "about:"].includes(url.protocol) && url.host !== new URL(this.desk.origin).host)
                                this.problem(`asked ${url.origin}`);
                });
        }

        problem(what) {
                if (!this.expected.some((pattern) => pattern.test(what)))
                        this.problems.push(what);
        }

        /** What is no problem in this story. */
        expect(pattern) {
                this.expected.push(pattern);
        }

        /** A page in a new tab; the first one is there. */
        async open(path = "/") {
                const blank = this.context.pages().find((page) => page.url() === "about:blank");
                const page = blank ?? await this.context.newPage();
                await page.goto(path);
                ok(!await page.evaluate(() => isSecureContext), `${page.url()} is a secure context`);
                return page;
        }

        /** Binds this device by the command line: its secret, for stories that begin behind that. */
        bind(email) {
                return this.desk.call("bind_browser", this.name, email);
        }

        /** Pulls its cable out, or plugs it in again. */
        plug(plugged) {
                return this.desk.call("plug", this.name, plugged);
        }

        /** Waits until a text that a page put into localStorage is on disk: Chromium takes some seconds for it. */
        written(text) {
                const folder = join(this.folder, "profile/Default/Local Storage/leveldb");
                const has = (file) => readFileSync(join(folder, file)).includes(text);
                return until(`${text} is written`, () => readdirSync(folder).some((file) => file.endsWith(".log") && has(file)));
        }

        /** Ends it as a crash does. `start` begins anew with what was kept. */
        async crash() {
                process.kill(Number(readFileSync(join(this.folder, "pid"), "utf8")), "SIGKILL");
                await this.context.close().catch(() => undefined);
        }

        async close() {
                await this.context.close().catch(() => undefined);
                rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
        }
}

/** A test with a desk, and as many browsers as it wants. settings: as in assist.conf; proof: the log folds to the tables, which takes minutes of a large desk; browser: options of a Playwright context, and `flags`. */
export function story(name, run, { settings = {}, proof = true } = {}) {
        test(name, async (t) => {
                const desk = await Desk.open(settings);
                const browsers = [];
                const browser = async (who, options = {}) => {
                        browsers.push(await Browser.open(desk, who, options));
                        return browsers.at(-1);
                };
                try {
                        await run({ t, desk, browser });
                        for (const one of browsers)
                                deepEqual(one.problems, [], `${one.name}'s pages`);
                        await Promise.all(browsers.map((one) => one.close()));
                        if (proof)
                                await desk.call("finish");
                } catch (error) {
                        for (const one of browsers) {
                                for (const [i, page] of one.context.pages().entries())
                                        await screenshot(page, `failed-${name}-${one.name}-${i}`).catch(() => undefined);
                                if (one.problems.length)
                                        console.error(`${one.name}'s pages:`, one.problems);
                        }
                        throw error;
                } finally {
                        await Promise.all(browsers.map((one) => one.close()));
                        await desk.close();
                }
        });
}

/** build/screenshots/NAME.png */
export async function screenshot(page, name) {
        mkdirSync(join(build, "screenshots"), { recursive: true });
        await page.screenshot({ path: join(build, "screenshots", `${name.replace(/[^\w-]+/g, "-")}.png`), animations: "disabled" });
}

/** The same for a desk and a phone, light and dark: NAME-desk-light.png, ... */
export async function pictures(page, name) {
        const was = page.viewportSize();
        for (const [place, size] of [["desk", { width: 1280, height: 800 }], ["phone", { width: 390, height: 844 }]]) {
                await page.setViewportSize(size);
                for (const colorScheme of ["light", "dark"]) {
                        await page.emulateMedia({ colorScheme });
                        await screenshot(page, `${name}-${place}-${colorScheme}`);
                }
        }
        await page.emulateMedia({ colorScheme: null });
        if (was)
                await page.setViewportSize(was);
}

/** Fails where axe finds anything at all: WCAG to 2.2 AA, and its best practices. */
export async function axe(page, options = {}) {
        await page.evaluate(`window.axe || (() => { ${axe_source} })()`);
        const found = await page.evaluate((more) => window.axe.run(document, {
                runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"], ...more,
        }), options);
        deepEqual(found.violations.map((v) => `${v.id} (${v.impact}): ${v.nodes.map((n) => n.html).join(" | ")}`), [], page.url());
}
