import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { forgedForm } from "../../dashboard/session.ts";
import { functionEvent } from "../../local/edge/function-event.ts";

/** What a site's function is given of these cookies, which a browser sends to all ports of a machine. */
const given = (cookie: string): unknown => {
  const request = { url: "/", method: "GET", headers: { host: "127.0.0.1", cookie }, httpVersion: "1.1", socket: {} };
  const event = functionEvent(request as unknown as IncomingMessage, Buffer.alloc(0), false, "r", 0);
  return [event.cookies, JSON.stringify(event).includes("secret")];
};

describe("the dashboard's session", () => {
  it("is kept from sites on the same machine, and their own cookies are not", () => {
    expect(given("a=1; shiplog_session_4000=secret; shiplog_session_4000_name=secret; b=2")).toEqual([["a=1", "b=2"], false]);
    expect(given("shiplog_session=secret")).toEqual([[], false]);
    expect(given("my_shiplog_session=1")).toEqual([["my_shiplog_session=1"], false]);
  });

  it.each([
    ["its own page", { origin: "http://127.0.0.1:4000", site: "same-origin" }, undefined],
    ["its own page in a browser that says no site", { origin: "http://127.0.0.1:4000", site: undefined }, undefined],
    ["its own page over a proxy that ends TLS", { origin: "https://127.0.0.1:4000", site: "same-origin" }, undefined],
    ["another port", { origin: "http://127.0.0.1:4001", site: undefined }, "A page of http://127.0.0.1:4001 sent this form."],
    ["another site", { origin: undefined, site: "cross-site" }, "A page of another site sent this form (cross-site)."],
    ["an address that was typed", { origin: undefined, site: "none" }, "A page of another site sent this form (none)."],
    ["a sandbox", { origin: "null", site: undefined }, "A page of null sent this form."],
    ["nobody", { origin: undefined, site: undefined }, "Nothing says which page sent this form. Programs have the API for it."],
  ])("takes a form of its own page alone: of %s", (_, headers, refusal) => {
    expect(forgedForm(headers, "127.0.0.1:4000")).toBe(refusal);
  });
});
