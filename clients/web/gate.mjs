// gate.mjs DIR: fails where what vite built there is larger than a first visit may take.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const FIRST_MAX = 80 * 1024, ALL_MAX = 180 * 1024, EMBED_MAX = 2 * 1024;
const dir = process.argv[2];
const size = (file) => gzipSync(readFileSync(join(dir, file)), { level: 9 }).length;
const files = readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
        .filter((file) => file !== "licenses.txt"); // no page loads it
const page = readFileSync(join(dir, "index.html"), "utf8");
// scripts, styles, and what they import at once, which vite names as modulepreload
const first = ["index.html", ...[...page.matchAll(/(?:src|href)="\/([^"]+)"/g)].map((match) => match[1])];
const sum = (names) => names.reduce((total, name) => total + size(name), 0);
const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
const first_bytes = sum(first), all_bytes = sum(files);

for (const file of files)
        console.log(`${kib(size(file)).padStart(10)}  ${first.includes(file) ? "first" : "later"}  ${file}`);
console.log(`first visit ${kib(first_bytes)} of ${kib(FIRST_MAX)}, all ${kib(all_bytes)} of ${kib(ALL_MAX)}, gzipped`);
if (/<script(?![^>]* src=)|<style|\son\w+=|style="/.test(page))
        throw new Error("index.html has a script or style in it, which the page's policy forbids");
const embed_bytes = readFileSync(join(dir, "embed.js")).length;
if (embed_bytes >= EMBED_MAX)
        throw new Error(`embed.js has ${embed_bytes} bytes; ${EMBED_MAX} are too many`);
if (first_bytes > FIRST_MAX || all_bytes > ALL_MAX)
        throw new Error("the web client is too large");
