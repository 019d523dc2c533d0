// @ and a name tells somebody.
import { equal } from "node:assert/strict";
import { axe, pictures, story, until } from "./harness.mjs";
import { come_in, sees } from "./people.mjs";

story("an agent is named in a note, and finds where", async ({ desk, browser }) => {
        const linus = await desk.member("linus@example.org", "Linus Lund");
        const { number } = await linus("ticket.create", { subject: "The VPN does not start", body: "Since this morning." });
        await desk.user("agnes@example.org", "Agnes Aalto", "agent");
        await desk.user("jurgen@example.org", "Jürgen Ferrari", "agent");
        const [agnes, jurgen] = await Promise.all([browser("agnes"), browser("jurgen")]);
        const page = await come_in(desk, agnes, "agnes@example.org");
        const other = await come_in(desk, jurgen, "jurgen@example.org");
        await page.goto(`/t/${number}`);
        await page.getByRole("tab", { name: "Note" }).click();
        const note = page.getByLabel("Your internal note");
        await note.pressSequentially("ask @jur");
        const choice = page.getByRole("option", { name: "Jürgen Ferrari Agent" });
        await choice.waitFor();
        equal(await choice.getAttribute("aria-selected"), "true");
        await axe(page);
        await pictures(page, "mention");
        await note.press("Enter");
        await until("the name is there", async () => await note.inputValue() === "ask @Jürgen Ferrari ");
        await note.pressSequentially("please");
        await page.keyboard.press("Control+Enter");

        await sees(other, "Agnes Aalto named you");
        await other.getByRole("button", { name: "Show" }).click();
        await other.getByRole("link", { name: /The VPN does not start/ }).waitFor();
        await axe(other);
        await pictures(other, "mentions");
        await other.getByRole("link", { name: /The VPN does not start/ }).click();
        await sees(other, "please");
});
