import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Route } from "../flow/route.ts";

const TYPES = { html: "text/html", css: "text/css", js: "text/javascript" } as const;

const FILES: readonly (readonly [path: string, file: string])[] = [
  ["/", "page.html"],
  ["/assets/page.css", "page.css"],
  ["/assets/page.js", "page.js"],
  ["/assets/api.js", "api.js"],
  ["/assets/charts.js", "charts.js"],
  ["/assets/days.js", "days.js"],
];

/** The page loads nothing from elsewhere and runs nothing inline: a name in the data cannot become a script. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

const served = ([path, file]: (typeof FILES)[number]): Route => {
  const text = readFileSync(join(import.meta.dirname, "assets", file), "utf8");
  const type = TYPES[file.split(".").at(-1) as keyof typeof TYPES];
  const headers = {
    "content-type": `${type}; charset=utf-8`,
    "cache-control": "no-cache",
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
  };
  return {
    method: "GET",
    path,
    scope: null,
    summary: path === "/" ? "The web page: today, sleep, days, history of one athlete" : "Part of the web page",
    schema: { responses: { 200: { description: type } } },
    handler: async () => ({ status: 200, body: text, headers }),
  };
};

/** The page and its parts, read once. It calls the same routes as everybody, with the token that is put into it. */
export const webRoutes = (): Route[] => FILES.map(served);
