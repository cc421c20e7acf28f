import { expect, test } from "vitest";
import type { RouteRequest } from "../../../src/flow/route.ts";
import { webRoutes } from "../../../src/web/route.ts";

const routes = webRoutes();
const get = async (path: string) => {
  const answer = await routes.find((route) => route.path === path)?.handler({} as RouteRequest);
  return { text: answer?.body as string, headers: answer?.headers ?? {} };
};

test("everything that the page and its scripts name is served, and nothing else is loaded", async () => {
  const named = new Set<string>();
  for (const { path } of routes) {
    const { text } = await get(path);
    for (const [, name = ""] of text.matchAll(/(?:src|href)="([^"]+)"/g)) named.add(name);
    for (const [, name = ""] of text.matchAll(/from "\.\/([^"]+)"/g)) named.add(`/assets/${name}`);
    expect(text).not.toMatch(/https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
  }
  expect([...named, "/"].toSorted()).toEqual(routes.map(({ path }) => path).toSorted());
});

test("the page runs nothing inline and may reach its own origin only", async () => {
  const { text, headers } = await get("/");
  expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'self';/);
  expect(text).not.toMatch(/<script[^>]*>[^<]|\son\w+=|javascript:/);
  const scripts = await Promise.all(["page", "days", "charts", "api"].map((name) => get(`/assets/${name}.js`)));
  for (const script of scripts) expect(script.text).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write|eval\(/);
});

test("each part is told for what it is", async () => {
  expect((await get("/")).headers["content-type"]).toBe("text/html; charset=utf-8");
  expect((await get("/assets/page.css")).headers["content-type"]).toBe("text/css; charset=utf-8");
  expect((await get("/assets/page.js")).headers["content-type"]).toBe("text/javascript; charset=utf-8");
});
