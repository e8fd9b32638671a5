// The page of the API: which endpoints are shown, what is asked, how a shape is said.

import { describe, expect, it } from "vitest";
import type { Description } from "../src/api/types/docs";
import { asked, endpoints, here, idOf, matches } from "../src/pages/docs";
import { kindOf } from "../src/parts/schema";

const DESCRIPTION: Description = {
  openapi: "3.1.0",
  info: { title: "x", version: "1" },
  tags: [
    { name: "First", description: "" },
    { name: "Second", description: "" },
  ],
  paths: {
    "/b": { get: { tags: ["Second"], description: "Looks.", responses: {} } },
    "/a/{id}": { post: { tags: ["First"], description: "Changes.", responses: {} }, get: { tags: ["First"], responses: {} } },
  },
  components: { schemas: {}, responses: {} },
};

describe("endpoints", () => {
  it("come by group, reads before changes", () => {
    expect(endpoints(DESCRIPTION).map((one) => `${one.method} ${one.path}`)).toEqual(["GET /a/{id}", "POST /a/{id}", "GET /b"]);
  });
  it("are found by all words, wherever they stand", () => {
    const found = (text: string): string[] => endpoints(DESCRIPTION).filter((one) => matches(one, text)).map((one) => one.id);
    expect(found("changes post")).toEqual(["post-a-id"]);
    expect(found("second")).toEqual(["get-b"]);
    expect(found("")).toHaveLength(3);
  });
  it("have names for the address", () => expect(idOf("GET", "/api/v1/series/points.csv")).toBe("get-api-v1-series-points-csv"));
});

describe("what is asked", () => {
  const parameters = [
    { name: "id", in: "path" as const, required: true },
    { name: "match", in: "query" as const },
  ];
  it("waits for what must be given", () => expect(asked("/a/{id}", parameters, {})).toBeNull());
  it("is encoded, and leaves out what is empty", () => {
    expect(asked("/a/{id}", parameters, { id: "x/y", match: "" })?.pathname).toBe("/a/x%2Fy");
    expect(asked("/a/{id}", parameters, { id: "1", match: 'cpu{host="a"}' })?.searchParams.get("match")).toBe('cpu{host="a"}');
  });
  it("is said for where the page is served", () => expect(here("curl http://127.0.0.1:8470/health")).toMatch(/^curl http.*\/health$/));
});

describe("a kind", () => {
  it("is said in words", () => {
    expect(kindOf({ type: ["number", "null"], minimum: 0, maximum: 1 })).toBe("number, 0 to 1");
    expect(kindOf({ type: "array", items: { type: "string" } })).toBe("list of string");
    expect(kindOf({ anyOf: [{ type: "integer" }, { type: "null" }] })).toBe("integer");
    expect(kindOf({ enum: ["open", "closed"] })).toBe("open | closed");
  });
});
