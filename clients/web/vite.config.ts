// CMake builds by this and says where by the environment; without it, what `build/` has is used.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const generated = process.env["ASSIST_WEB_GENERATED"] ?? here("../../build/generated/web");
const desk = process.env["ASSIST_PROJECT"] ?? "127.0.0.1:7272";

// `npm run dev` shows a desk of scripts/start.sh as the device ASSIST_FROM: what is of the desk goes there from that address.
const to_desk = {
        target: `http://${desk}`,
        changeOrigin: true,
        localAddress: process.env["ASSIST_FROM"] ?? "127.0.0.4",
        headers: { origin: `http://${desk}` },
};

export default defineConfig({
        root: here("."),
        resolve: { alias: { "@schema": `${generated}/schema.ts` } },
        oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
        build: {
                outDir: process.env["ASSIST_WEB_OUT"] ?? here("../../build/web/dist"),
                emptyOutDir: true,
                target: "es2023",
                modulePreload: { polyfill: false },
                assetsInlineLimit: 0, // a data: address is nothing that the page's policy lets in
                reportCompressedSize: false,
                license: { fileName: "licenses.txt" }, // of what the bundles contain
        },
        server: {
                host: "127.0.0.1",
                proxy: { "/rpc": to_desk, "/session": to_desk, "/attachments": to_desk, "/ws": { ...to_desk, ws: true } },
        },
        test: { include: ["src/**/*.test.{ts,tsx}"], passWithNoTests: true, testTimeout: 60_000 },
});
