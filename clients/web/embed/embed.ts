// <assist-support project="http://[400::1]:7272" label="Help">: a button that opens the desk's own page in a frame. A page that came by
// https may not show one that came by http: there it is a link to the program that shows desks.
class AssistSupport extends HTMLElement {
        connectedCallback() {
                if (this.shadowRoot)
                        return;
                const project = this.getAttribute("project") ?? "";
                const label = this.getAttribute("label") ?? "Support";
                const root = this.attachShadow({ mode: "open" });
                const sheet = new CSSStyleSheet();
                const add = <K extends keyof HTMLElementTagNameMap>(tag: K, members: Partial<HTMLElementTagNameMap[K]>) =>
                        root.appendChild(Object.assign(document.createElement(tag), { part: tag, ...members }));

                sheet.replaceSync(":host{font:1rem/1.5 system-ui,sans-serif}"
                        + "button,a{display:inline-block;box-sizing:border-box;min-height:2.75rem;padding:.5rem 1rem;border:0;border-radius:.5rem;"
                        + "background:#2557d6;color:#fff;font:inherit;text-decoration:none;cursor:pointer}"
                        + "iframe{display:block;width:min(26rem,100%);height:min(40rem,80vh);margin-top:.5rem;border:1px solid #8888;border-radius:.5rem}"
                        + "[hidden]{display:none}");
                root.adoptedStyleSheets = [sheet];
                if (!/^http:\/\/[^/?#]+\/?$/.test(project)) {
                        add("p", { textContent: "assist-support: project must be an address like http://[400::1]:7272" });
                } else if (location.protocol === "https:") {
                        add("a", { href: project.replace("http", "hero-assist"), textContent: label });
                        add("p", { textContent: "Your browser can't show the support desk inside this page. The link opens it in Hero Assistance on this device." });
                } else {
                        const button = add("button", { type: "button", textContent: label, ariaExpanded: "false" });
                        let frame: HTMLIFrameElement | undefined;
                        button.onclick = () => {
                                if (frame)
                                        frame.hidden = !frame.hidden;
                                else
                                        frame = add("iframe", { src: new URL("/embed", project).href, title: label });
                                button.ariaExpanded = `${!frame.hidden}`;
                        };
                }
        }
}

customElements.define("assist-support", AssistSupport);
