import { describe, expect, it } from "vitest";
import { isLoopback, isPublic } from "../../engine/webhooks/addresses.ts";
import { addressOf, masked, readTarget } from "../../engine/webhooks/target.ts";

describe("addresses", () => {
  it.each([
    ...["0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.169.254"],
    ...["172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255"],
    ...["198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"],
    ...["::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:7f00:1", "::169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1"],
    ...["100::1", "2001::1", "2001:0:4136:e378::1", "2001:10::1", "2001:db8::1", "2002:a9fe:a9fe::1", "3fff::1", "fc00::1", "fd12::1"],
    ...["fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "not-an-address", ""],
  ])("%s is not public", (address) => {
    expect(isPublic(address)).toBe(false);
  });
  it.each(["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "192.0.1.1", "198.17.255.255", "198.20.0.0"])(
    "%s is public",
    (address) => {
      expect(isPublic(address)).toBe(true);
    },
  );
  it.each(["2606:4700:4700::1111", "2a00:1450:4001:80b::200e", "2001:200::1", "2001:4860:4860::8888", "2003::1"])(
    "%s is public",
    (address) => {
      expect(isPublic(address)).toBe(true);
    },
  );
  it("loopback is what is written as such", () => {
    expect(["127.0.0.1", "127.1.2.3", "::1"].map(isLoopback)).toEqual([true, true, true]);
    expect(["::ffff:127.0.0.1", "10.0.0.1", "localhost"].map(isLoopback)).toEqual([false, false, false]);
  });
});

describe("a URL", () => {
  const strict = { allowLoopback: false };
  it.each([
    ["no url", "it is not a URL"],
    ["http://example.com/x", "it must begin with https://"],
    ["http://localhost:4000/x", "it must begin with https://; one on this machine is taken by `shiplog dev --allow-loopback-webhooks`"],
    ["ftp://example.com/x", "it must begin with https://"],
    ["https://a@example.com/x", "user name or password"],
    ["https://example.com:8080/x", "its port is 8080"],
    ["https://127.0.0.1/x", "not a public one"],
    ["https://2130706433/x", "its address 127.0.0.1 is not a public one"],
    ["https://0x7f.1/x", "its address 127.0.0.1 is not a public one"],
    ["https://１２７.０.０.１/x", "its address 127.0.0.1 is not a public one"],
    ["https://[::ffff:169.254.169.254]/x", "not a public one"],
    ["https://[64:ff9b::a9fe:a9fe]/x", "not a public one"],
    [`https://example.com/${"x".repeat(2_000)}`, "longer than 2,000"],
  ])("%s is refused", (text, reason) => {
    expect(() => readTarget(text, strict)).toThrow(reason);
  });
  it("may have another port of the list", () => {
    expect(readTarget("https://example.com:8443/x", strict).port).toBe("8443");
  });
  it("goes to this machine with the development option alone", () => {
    for (const text of ["http://127.0.0.1:4000/x", "http://localhost:4000/x", "http://[::1]:4000/x"]) {
      expect(() => readTarget(text, strict)).toThrow();
      expect(readTarget(text, { allowLoopback: true }).port).toBe("4000");
    }
    for (const text of ["http://10.0.0.1/x", "http://example.com/x", "https://169.254.169.254/x", "https://user@localhost/x"])
      expect(() => readTarget(text, { allowLoopback: true })).toThrow();
  });
  it("is masked down to its host", () => {
    expect(masked(new URL("https://hooks.slack.com/services/T0/B0/secret?a=b"))).toBe("https://hooks.slack.com/…");
  });
});

describe("a name", () => {
  const url = new URL("https://hook.example/x");
  const lookup = (...addresses: string[]) => ({ lookup: async () => addresses, allowLoopback: false });
  it("gives an address where all are public, IPv4 first", async () => {
    expect(await addressOf(url, lookup("2606:4700:4700::1111", "1.1.1.1"))).toBe("1.1.1.1");
    expect(await addressOf(url, lookup("2606:4700:4700::1111"))).toBe("2606:4700:4700::1111");
  });
  it.each([[["10.0.0.1"]], [["1.1.1.1", "10.0.0.1"]], [["1.1.1.1", "::1"]], [["127.0.0.1"]]])(
    "is refused where one of %j is private",
    async (addresses) => {
      await expect(addressOf(url, lookup(...addresses))).rejects.toThrow("its name hook.example resolves to");
    },
  );
  it("is refused where it has no address, and where a public one leads to this machine even in development", async () => {
    await expect(addressOf(url, lookup())).rejects.toThrow("has no address");
    await expect(addressOf(url, { lookup: async () => ["127.0.0.1"], allowLoopback: true })).rejects.toThrow("resolves to 127.0.0.1");
  });
});
