#!/usr/bin/env node
// Plain JavaScript, which every Node understands: an old one would stop at the first file with a complaint about its own.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major > 22 || (major === 22 && minor >= 18)) await import("./shiplog.ts");
else {
  console.error(`error: Shiplog needs Node 22.18 or newer, and this is ${process.versions.node}.`);
  console.error("Install a newer one (https://nodejs.org, or nvm install 24), then run the command again.");
  process.exit(2);
}
