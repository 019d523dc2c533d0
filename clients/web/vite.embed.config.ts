// The script that products include: one file, whose name is for ever.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
        root: here("."),
        build: {
                outDir: process.env["ASSIST_WEB_OUT"] ?? here("../../build/web/dist"),
                emptyOutDir: false,
                target: "es2022",
                lib: { entry: here("embed/embed.ts"), formats: ["iife"], name: "assist", fileName: () => "embed.js" },
                reportCompressedSize: false,
        },
});
