import { isIP } from "node:net";

/**
 * Which addresses an endpoint may have. A table of our own: `net.BlockList` with rules for IPv4 lets `64:ff9b::a9fe:a9fe`
 * and `::169.254.169.254` through, which reach the metadata service by another spelling.
 */
const DENIED_V4 = [
  "0.0.0.0/8", // this network
  "10.0.0.0/8", // private
  "100.64.0.0/10", // carriers' NAT
  "127.0.0.0/8", // loopback
  "169.254.0.0/16", // link-local, the metadata service
  "172.16.0.0/12", // private
  "192.0.0.0/24", // protocol assignments
  "192.0.2.0/24", // documentation
  "192.88.99.0/24", // 6to4 relays
  "192.168.0.0/16", // private
  "198.18.0.0/15", // benchmarks
  "198.51.100.0/24", // documentation
  "203.0.113.0/24", // documentation
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved, broadcast
];

/**
 * Of IPv6 only global unicast is public: that leaves out ::, ::1, IPv4-compatible and -mapped addresses, NAT64
 * (64:ff9b::/96), unique local, link-local and multicast. Inside of it these are not.
 */
const GLOBAL_V6 = "2000::/3";
const DENIED_V6 = [
  "2001::/23", // protocol assignments, Teredo among them
  "2001:db8::/32", // documentation
  "2002::/16", // 6to4: carries any IPv4 address
  "3fff::/20", // documentation
];

/** The bytes of an address, 4 or 16; `undefined` where the text is none. */
export const bytesOf = (address: string): readonly number[] | undefined => {
  const [bare = ""] = address.split("%");
  switch (isIP(bare)) {
    case 4:
      return bare.split(".").map(Number);
    case 6:
      return bytesOfV6(bare);
    default:
      return undefined;
  }
};

const bytesOfV6 = (text: string): readonly number[] => {
  // the last 32 bits may be written as IPv4
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const hex =
    dotted === null
      ? text
      : `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`;
  const [head = "", tail] = hex.split("::");
  const groups = (part: string): number[] => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const all = [...front, ...Array.from({ length: 8 - front.length - back.length }, () => 0), ...back];
  return all.flatMap((group) => [group >> 8, group & 0xff]);
};

const within = (address: readonly number[], range: string): boolean => {
  const [network = "", bits = ""] = range.split("/");
  const base = bytesOf(network) ?? [];
  if (base.length !== address.length) return false;
  const length = Number(bits);
  return base.every((byte, index) => {
    const left = Math.min(8, Math.max(0, length - index * 8));
    const mask = (0xff << (8 - left)) & 0xff;
    return (byte & mask) === ((address[index] ?? 0) & mask);
  });
};

/** True for an address that anybody on the internet may be reached at. */
export const isPublic = (address: string): boolean => {
  const bytes = bytesOf(address);
  if (bytes === undefined) return false;
  if (bytes.length === 4) return !DENIED_V4.some((range) => within(bytes, range));
  return within(bytes, GLOBAL_V6) && !DENIED_V6.some((range) => within(bytes, range));
};

/** True for this machine's own addresses as they are written plainly: 127.0.0.0/8 and ::1. */
export const isLoopback = (address: string): boolean => {
  const bytes = bytesOf(address);
  return bytes !== undefined && (within(bytes, "127.0.0.0/8") || within(bytes, "::1/128"));
};
