// embed.mjs DIR FILE.c: what vite built in DIR as the table of pages.h. The assembler takes the bytes in; those of gzip lie beside FILE.c.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";

const types = {
        ".html": "text/html; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".svg": "image/svg+xml",
        ".png": "image/png",
        ".txt": "text/plain; charset=utf-8",
        ".woff2": "font/woff2",
};
const [dir, out] = process.argv.slice(2).map((path) => resolve(path));
const packed = join(dirname(out), "packed");
rmSync(packed, { recursive: true, force: true });
mkdirSync(packed, { recursive: true });

const include = (name, file) => `__asm__(".pushsection .rodata\\n${name}: .incbin \\"${file}\\"\\n.popsection");\nextern const char ${name}[];\n`;
const EMBEDDED = "embed";
let data = "", rows = "";
const files = readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
        .concat(EMBEDDED)
        .sort();
// the page for frames of other sites, which knows it by this
const embedded = Buffer.from(readFileSync(join(dir, "index.html"), "utf8").replace("<html ", "<html data-embed "));
files.forEach((file, i) => {
        const type = types[file === EMBEDDED ? ".html" : extname(file)];
        if (!type)
                throw new Error(`${file}: embed.mjs knows no type for files like this`);
        const body = file === EMBEDDED ? embedded : readFileSync(join(dir, file));
        const gzip = gzipSync(body, { level: 9 });
        const smaller = gzip.length < body.length;
        const hash = createHash("sha256").update(body).digest("hex").slice(0, 32);
        if (file === EMBEDDED)
                writeFileSync(join(packed, file), body);
        data += include(`page_${i}`, join(file === EMBEDDED ? packed : dir, file));
        if (smaller) {
                writeFileSync(join(packed, `${i}.gz`), gzip);
                data += include(`page_${i}_gzip`, join(packed, `${i}.gz`));
        }
        const path = file === "index.html" ? "/" : `/${file}`;
        rows += `        { "${path}", "${type}", "\\"${hash}\\"", "\\"${hash}-gzip\\"", { page_${i}, ${body.length} }, `
                + `${smaller ? `{ page_${i}_gzip, ${gzip.length} }` : "{ 0 }"}, ${file.startsWith("assets/")} },\n`;
});
writeFileSync(out, `#include "pages.h"\n\n${data}\nconst struct page pages[] = {\n${rows}};\nconst size_t n_pages = ${files.length};\n`);
