// What people do with the desk's pages, said once for all stories.
/** Binds a browser by the page itself: email, label, code from the mail. Answers its page, at the desk's list. */
export async function come_in(desk, browser, email, { page } = {}) {
        page ??= await browser.open("/");
        const before = await desk.call("mails");
        await page.getByLabel("Email address").fill(email);
        await page.getByRole("button", { name: "Send me a code" }).click();
        const code = await desk.call("code", email, before);
        await page.getByLabel("Code from the mail").fill(code.toLowerCase().replace(/(....)/, "$1-"));
        await page.getByRole("button", { name: "Connect" }).click();
        await page.getByRole("region", { name: "Tickets" }).waitFor();
        return page;
}

/** A picture of its own for a test: a PNG of 64 x 48, drawn by the page. */
export const picture = (page) => page.evaluate(async () => {
        const canvas = document.createElement("canvas");
        canvas.width = 640, canvas.height = 400;
        const pen = canvas.getContext("2d");
        pen.fillStyle = "#24527a", pen.fillRect(0, 0, 640, 400);
        pen.fillStyle = "#f4d35e", pen.fillRect(60, 80, 520, 240);
        pen.fillStyle = "#24527a", pen.font = "44px sans-serif", pen.fillText("E42: no tunnel", 120, 215);
        const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
        return [...new Uint8Array(await blob.arrayBuffer())];
});

/** Pastes a picture where the focus is put. */
export async function paste(page, locator, bytes, name = "image.png") {
        await locator.evaluate((element, { bytes, name }) => {
                const data = new DataTransfer();
                data.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
                element.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }, { bytes, name });
}

/** Waits for a text that is in view. */
export const sees = (page, text, options) => page.getByText(text, options).first().waitFor();

/** How many things a page keeps for its user, by the name of where. */
export const kept = (page, store) => page.evaluate(async (store) => {
        let rows = 0;
        for (const { name } of await indexedDB.databases()) {
                const db = await new Promise((done) => { indexedDB.open(name).onsuccess = (e) => done(e.target.result); });
                for (const each of store ? [store] : db.objectStoreNames)
                        rows += await new Promise((done) => { db.transaction(each).objectStore(each).count().onsuccess = (e) => done(e.target.result); });
                db.close();
        }
        return rows;
}, store);

/** Waits until a browser would know its device again after a crash. */
export const known = async (browser, page) => browser.written(await page.evaluate(() => JSON.parse(localStorage.getItem("assist.device")).secret));

