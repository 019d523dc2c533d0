// The main job: somebody needs help, and gets it, by two browsers on two devices.
import { equal, ok } from "node:assert/strict";
import { axe, pictures, screenshot, story, until } from "./harness.mjs";
import { come_in, paste, picture, sees } from "./people.mjs";

story("a customer asks with a picture, an agent answers, both see it live", async ({ desk, browser }) => {
        await desk.user("linus@example.org", "Linus Lund");
        await desk.user("agnes@example.org", "Agnes Aalto", "agent");
        const [linus, agnes] = await Promise.all([browser("linus"), browser("agnes")]);
        const customer = await linus.open("/");
        await pictures(customer, "bind");
        await axe(customer);
        await come_in(desk, linus, "linus@example.org", { page: customer });
        const agent = await come_in(desk, agnes, "agnes@example.org");
        await agent.goto("/?v=unassigned");
        await sees(agent, "Nothing here");
        await pictures(customer, "customer-empty");
        await axe(customer);

        await customer.getByRole("link", { name: "New ticket" }).first().click();
        await customer.getByLabel("Subject").fill("The VPN does not start");
        const body = customer.getByLabel("What is it about?");
        await body.fill("Since this morning I see **this**:");
        await paste(customer, body, await picture(customer));
        await axe(customer);
        await pictures(customer, "new-ticket");
        await customer.getByRole("button", { name: "Create the ticket" }).click();
        await sees(customer, "Since this morning");

        await agent.getByRole("link", { name: /The VPN does not start/ }).click();
        await agent.getByRole("img", { name: "image.png" }).waitFor();
        await until("the picture shows", () => agent.getByRole("img", { name: "image.png" }).evaluate((img) => img.naturalWidth === 640));
        await sees(customer, "Agnes Aalto looks at this");
        await agent.getByLabel("Your reply").pressSequentially("Please turn it off");
        await sees(customer, "Agnes Aalto is typing");
        await agent.getByLabel("Your reply").fill("Please turn it off and on again.");
        await agent.keyboard.press("Control+Enter");
        await sees(customer, "Please turn it off and on again.");
        await agent.getByRole("tab", { name: "Note" }).click();
        await agent.getByLabel("Your internal note").fill("The third one today: gateway 7?");
        await agent.getByRole("button", { name: "Add note" }).click();
        await sees(agent, "The third one today");
        await pictures(agent, "ticket-agent");
        await axe(agent);
        await pictures(customer, "ticket-customer");
        await axe(customer);
        equal(await customer.getByText("gateway 7").count(), 0);

        await customer.getByLabel("Your reply").fill("That helped, thank you!");
        await customer.getByRole("button", { name: "Send" }).click();
        await sees(agent, "That helped, thank you!");
        ok(true);
});
