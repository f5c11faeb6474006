import { globSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CREATE_NEXT_APP } from "../support/made-apps.ts";
import { until } from "../support/until.ts";
import { type Receiver, startReceiver } from "../support/webhook-receiver.ts";
import { type Packages, packages } from "./support/packages.ts";
import { type Block, blocksOf, commandsOf, type PageCommand, plainly } from "./support/page-blocks.ts";
import { type Answer, missingTerminal, openReaderShell, type Printed, type ReaderShell } from "./support/reader-shell.ts";

/**
 * A reader with an empty folder types every line of shell of these pages as it stands, in this order and in one terminal.
 * A line that a page gets is typed without an edit here; each must end as the page says: with 0, or what `# ends with 7` names.
 */
const START = "docs/start.md";
const YOUR_APP = "docs/guides/your-app.md";
const VARIABLES = "docs/guides/variables.md";
const STAGING = "docs/guides/staging-and-production.md";
const ROLLBACK = "docs/guides/rollback.md";
const CLEANING = "docs/guides/cleaning-up.md";
const WEBHOOKS = "docs/guides/slack-and-webhooks.md";
const LEAVING = "docs/guides/leaving.md";
const UPGRADE = "docs/guides/upgrade.md";
const PAGES = [START, YOUR_APP, VARIABLES, STAGING, ROLLBACK, CLEANING, WEBHOOKS, LEAVING, UPGRADE];

/** Guides of which nothing is typed, and why. */
const UNREAD: Readonly<Record<string, string>> = {
  "docs/guides/ci.md": "it needs a runner of GitHub or GitLab",
  "docs/guides/custom-domain.md": "it needs a domain, and an AWS account",
  "docs/guides/monorepo.md": "it begins with another repository; test/e2e/package.test.ts deploys an app of a workspace",
};

/** Blocks of the pages above that are not typed, by the beginning of their first line, and why. */
const UNTYPED: readonly { page: string; begins: string; why: string }[] = [
  { page: YOUR_APP, begins: "npx shiplog deploy path/to/your/app", why: "it is the deployment of docs/start.md" },
  { page: STAGING, begins: "npx shiplog up --stage staging", why: "it needs an AWS account" },
  { page: LEAVING, begins: "SHIPLOG_THROWAWAY=production npx shiplog up", why: "it needs an AWS account" },
  { page: LEAVING, begins: "aws resourcegroupstaggingapi", why: "it needs an AWS account" },
  { page: UPGRADE, begins: "git pull && npm ci && npm run build", why: "it needs a newer commit" },
  { page: UPGRADE, begins: "git log -1", why: "it needs a newer commit, and an AWS account" },
];

/** Where a guide is followed: in the folder that docs/start.md makes, or in the app's, where the guide says so. */
const FOLDERS: Readonly<Record<string, string>> = { [STAGING]: "web" };

/** What a page leaves to its reader, and what this reader has. Nothing else of a page is changed. */
const PLACEHOLDERS: readonly { page: string; written: string; here: () => string }[] = [
  { page: START, written: "path/to/clone/dist", here: () => packed.folder },
  // one version, so that a new one fails no change of ours; without the template's fonts, which come from Google
  { page: START, written: "create-next-app@latest web --yes", here: () => `create-next-app@${CREATE_NEXT_APP} web --yes --empty` },
  { page: YOUR_APP, written: "path/to/your/app", here: () => "web" },
  { page: ROLLBACK, written: "dep_01J7", here: () => /Pages that are open reach (dep_\w+) until/.exec(printed)?.[1] ?? "none was printed" },
  { page: CLEANING, written: "dep_01J5", here: () => deployments()[0] ?? "none was printed" },
  { page: WEBHOOKS, written: "https://hooks.example.com/shiplog", here: () => receiver.url("program") },
  { page: WEBHOOKS, written: "https://hooks.example.com/log", here: () => receiver.url("log") },
  { page: WEBHOOKS, written: "wh_7QK3M", here: () => /^id +(wh_\w+)\nurl /m.exec(printed)?.[1] ?? "none was printed" },
  { page: WEBHOOKS, written: "wh_2DGBN", here: () => seen("wh_") },
  { page: WEBHOOKS, written: "msg_EgJB", here: () => seen("msg_") },
];

/** What this reader types where a command asks. */
const ANSWERS: readonly Answer[] = [
  { question: /\[y\/N\] $/, typed: () => "y\n" },
  { question: /Value of API_URL in \S+ \(it is not shown\): $/, typed: () => `${API_URL}\n` },
  { question: /Paste the URL, then press Enter and Ctrl-D\./, typed: () => `${receiver.url("slack")}\n\u0004` },
];
const API_URL = "https://api.example.com/v1";
const DATABASE_URL = "postgres://ann@db.example.com/shop";

let packed: Packages;
let receiver: Receiver;
let room: string;
let shell: ReaderShell;
let engine: Awaited<ReturnType<ReaderShell["start"]>>;
/** the line that started the engine, as the page has it */
let develop: string;
/** everything that was printed, in order */
let printed = "";

const pathOf = (page: string): string => join(import.meta.dirname, "../..", page);
const textOf = (page: string): string => readFileSync(pathOf(page), "utf8");
const blocks = (page: string): Block[] => blocksOf(textOf(page)).filter(({ language }) => language === "sh");
const isUntyped = (page: string, { text }: Block): boolean => UNTYPED.some((one) => one.page === page && text.startsWith(one.begins));
const commands = (page: string): PageCommand[] =>
  blocks(page)
    .filter((block) => !isUntyped(page, block))
    .flatMap((block) => commandsOf(page, block));

/** The first id of that kind that was printed. */
const seen = (prefix: string): string => new RegExp(`\\b${prefix}[0-9A-Za-z]+`).exec(printed)?.[0] ?? `no ${prefix} was printed`;
const deployments = (): string[] => [...new Set([...printed.matchAll(/^id +(dep_\w+)$/gm)].map(([, id = ""]) => id))];
const inTry = (path: string): string => join(room, "shiplog-try", path);
const addressOf = (environment: string): string => {
  const url = new RegExp(`^web/${environment} +(http:\\S+)$`, "m").exec(engine.out())?.[1];
  if (url === undefined) throw new Error(`the engine printed no address of ${environment}:\n${engine.out()}`);
  return url;
};
/** What visitors read there, without what is not text. */
const pageAt = async (environment: string): Promise<string> =>
  (await (await fetch(addressOf(environment))).text()).replace(/^[\s\S]*<body[^>]*>|<script[\s\S]*?<\/script>|<[^>]+>/g, "").trim();
/** Within a moment: the edge sees what is live a second late. */
const shows = (environment: string, text: string): Promise<unknown> =>
  until(`${environment} to show "${text}"`, async () => (await pageAt(environment)) === text);
const edit = (heading: string): Promise<void> => writeFile(inTry("web/app/page.tsx"), `export default () => <h1>${heading}</h1>;\n`);

const isEngine = (line: string): boolean => /\bshiplog dev\b/.test(line);
const READY = /Stop with Ctrl-C/;
const startEngine = async (line: string): Promise<void> => {
  engine = await shell.start(line, READY);
  printed += engine.out();
};
const typeLine = async (line: string): Promise<Printed> => {
  const answer = await shell.type(line);
  printed += answer.out;
  return answer;
};

/** Types a line of a page. @throws with what was printed, where it does not end as the page says */
const typeCommand = async (page: string, { text, endsWith }: PageCommand): Promise<string> => {
  const line = PLACEHOLDERS.filter((one) => one.page === page).reduce((typed, { written, here }) => typed.replaceAll(written, here), text);
  if (isEngine(line)) {
    develop = line;
    await startEngine(line);
    return engine.out();
  }
  const { code, out } = await typeLine(line);
  expect(code, `${out.trimEnd().split("\n").slice(-30).join("\n")}`).toBe(endsWith);
  return out;
};

/** What a page promises of a line, and what its reader does before it. Named by the line's beginning. */
type Promised = { readonly before?: () => Promise<void>; readonly after?: (out: string) => unknown };
const PROMISES: Readonly<Record<string, Readonly<Record<string, Promised>>>> = {
  [START]: {
    "npx shiplog init web --install": {
      after: async (out) => {
        expect((await stat(inTry("web/shiplog.sites.json"))).isFile()).toBe(true);
        for (const written of ["@opennextjs/aws", "shiplog.sites.json", ".gitignore", ".github/workflows/"]) expect(out).toContain(written);
      },
    },
    "npx shiplog check web": {
      after: (out) => {
        expect(out).toContain("Nothing keeps it from being deployed.");
        expect(out).toContain("does not know which engine");
      },
    },
    "npx shiplog dev": {
      after: async () => {
        expect((await stat(inTry(".shiplog/connection.json"))).isFile()).toBe(true);
      },
    },
    "npx shiplog deploy web": {
      after: async (out) => {
        expect(out).toContain(`url     ${addressOf("production")}\n`);
        await shows("production", "Hello world!");
      },
    },
    "npx shiplog rollback": {
      before: async () => {
        const again = /Edit a page, run `([^`]+)` again/.exec(textOf(START))?.[1] ?? "the page names no command";
        await writeFile(inTry("web/app/page.tsx"), "export default function Home() { return <h1>Broken</h2>; }\n");
        const broken = await typeLine(again);
        expect(broken.code).toBe(5);
        const [said = ""] = broken.out.split(/^(?=id )/m);
        expect(said.trimEnd().split("\n").slice(-15).join("\n")).toMatch(/> Error: Expected corresponding JSX closing tag for <h1>/);
        await edit("Second");
        const { code, out } = await typeLine(again);
        expect(code, out).toBe(0);
        await shows("production", "Second");
      },
      after: async (out) => {
        const [first = "none", second = "none"] = [deployments()[0], deployments().at(-1)];
        expect(out).toMatch(new RegExp(`^ +from +${second} .*\n +to +${first} `, "m"));
        await shows("production", "Hello world!");
      },
    },
    "npx shiplog unpin": {
      after: async (out) => {
        expect(out).toContain("web/production is no longer pinned");
        await shows("production", "Hello world!");
      },
    },
    "npx shiplog status": { after: (out) => expect(out).toMatch(new RegExp(`live +${deployments()[0]} .* rolled back`)) },
    "npx shiplog why web": { after: (out) => expect(out).toContain(`web/production  ${deployments()[0]}`) },
    "npx shiplog history": {
      after: (out) => {
        for (const id of [deployments()[0], deployments().at(-1)]) expect(out).toContain(id);
      },
    },
    "npx shiplog events": { after: (out) => expect(out).toMatch(new RegExp(`ReleaseWentLive +#\\d+ ${deployments()[0]}`)) },
  },
  [YOUR_APP]: {
    "npx shiplog check path/to/your/app": { after: (out) => expect(out).toContain("Nothing keeps it from being deployed.") },
  },
  [VARIABLES]: {
    "printf %s": {
      before: async () => {
        // what the page declares, and the other start of docs/start.md: what was live is served
        await writeFile(
          inTry("web/shiplog.sites.json"),
          blocksOf(textOf(VARIABLES)).find(({ language }) => language === "json")?.text ?? "",
        );
        await writeFile(inTry("staging.env"), `API_URL=${API_URL}\nDATABASE_URL=${DATABASE_URL}\nNEXT_PUBLIC_SITE=staging\n`);
        await engine.stop();
        await startEngine(`${develop} --allow-loopback-webhooks`);
        await shows("production", "Hello world!");
      },
    },
    "npx shiplog env ls": {
      after: (out) => {
        expect(out).toMatch(/^NAME +VALUE +LIVE +SET +BY\nAPI_URL +[0-9a-f]{8} +/m);
        expect(out).not.toContain(API_URL);
      },
    },
    "npx shiplog env pull": {
      after: async () => {
        const file = inTry(".env.local");
        expect((await stat(file)).mode & 0o777).toBe(0o600);
        for (const value of [API_URL, DATABASE_URL]) expect(await readFile(file, "utf8")).toContain(value);
      },
    },
  },
  [STAGING]: {
    "npx shiplog deploy . --env staging": { after: () => shows("staging", "Second") },
    "npx shiplog deploy . --env production # what": { after: () => shows("production", "Second") },
    "npx shiplog deploy . --env production # ends with 7": {
      before: () => edit("Third"),
      after: () => shows("production", "Second"),
    },
    "npx shiplog unpin web/production": {
      // it says so and does not wait: "in about a second"
      after: () => until("the page that waited", async () => (await pageAt("production")) === "Third"),
    },
  },
  [ROLLBACK]: {
    "npx shiplog rollback web/production": { after: () => shows("production", "Second") },
    "npx shiplog why": { after: (out) => expect(out).toMatch(/rollback +.* to dep_/) },
    "npx shiplog audit": { after: (out) => expect(out).toMatch(/rolled back to dep_/) },
  },
  [WEBHOOKS]: {
    "npx shiplog webhooks test": {
      after: async () => {
        const [message] = await until("the message", async () => {
          const all = await receiver.at("slack");
          return all.length > 0 && all;
        });
        const check = blocksOf(textOf(WEBHOOKS)).find(({ language }) => language === "js")?.text ?? "";
        const { isFromShiplog } = await import(`data:text/javascript,${encodeURIComponent(check)}`);
        const secret = /^secret +(whsec_\S+)$/m.exec(printed)?.[1];
        expect(isFromShiplog(message?.headers, message?.body, secret)).toBe(true);
        expect(isFromShiplog(message?.headers, `${message?.body} `, secret)).toBe(false);
        await until("the delivery in the list", async () =>
          (await typeLine(`npx shiplog webhooks deliveries ${seen("wh_")}`)).out.includes("msg_"),
        );
      },
    },
    "npx shiplog webhooks redeliver": {
      after: async () => {
        const sent = await until("the same message again", async () => {
          const all = await receiver.at("slack");
          return all.length > 1 && all;
        });
        expect(new Set(sent.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
      },
    },
    "npx shiplog subscriptions add": {
      after: () =>
        until("the log from its beginning", async () => {
          const [first] = await receiver.at("log");
          return first !== undefined && JSON.parse(first.body).data.events[0].version === 1;
        }),
    },
  },
  [LEAVING]: {
    "npx shiplog env pull": { after: async () => expect(await readFile(inTry("production.env"), "utf8")).toContain(API_URL) },
    "npx shiplog audit verify": {
      after: async (out) => {
        expect(out).toMatch(/^verified: \d+ commits in \d+ seals?, up to /m);
        expect((await readdir(inTry("shiplog-log/segments"))).filter((name) => name.endsWith(".jsonl.gz"))).not.toEqual([]);
      },
    },
    "npx shiplog audit --since": { after: async () => expect(await readFile(inTry("audit.csv"), "utf8")).toContain(deployments()[0]) },
    "npx shiplog history": { after: async () => expect(await readFile(inTry("history.md"), "utf8")).toMatch(/^\| /m) },
    "npx shiplog schema events": {
      after: async () => expect(JSON.parse(await readFile(inTry("events.schema.json"), "utf8"))).toBeTypeOf("object"),
    },
  },
  [UPGRADE]: {
    "npx shiplog audit verify": {
      after: async () => {
        const { code, out } = await typeLine("npx shiplog doctor");
        expect(code, out).toBe(0);
      },
    },
  },
};

const isPromised = (name: string, { text }: PageCommand): boolean => plainly(text).startsWith(name);

const follow = async (page: string): Promise<void> => {
  if (page !== START) await typeLine(`cd '${inTry(FOLDERS[page] ?? "")}'`);
  const waiting = new Map(Object.entries(PROMISES[page] ?? {}));
  for (const command of commands(page)) {
    // the first line that is named so, once
    const [name, promised] = [...waiting].find(([name]) => isPromised(name, command)) ?? ["", {}];
    waiting.delete(name);
    try {
      await promised.before?.();
      const out = await typeCommand(page, command);
      await promised.after?.(out);
    } catch (error) {
      if (error instanceof Error) error.message = `${command.where}: ${plainly(command.text)}\n${error.message}`;
      throw error;
    }
  }
};
const followed = new Map<string, Promise<void>>();
/** A page, after those before it. */
const reach = async (page: string): Promise<void> => {
  for (const one of PAGES.slice(0, PAGES.indexOf(page)))
    await followedOnce(one).catch((error: Error) => {
      throw new Error(`${one} did not come to its end: ${error.message.split("\n", 1)}`);
    });
  await followedOnce(page);
};
const followedOnce = (page: string): Promise<void> => {
  const before = followed.get(page) ?? follow(page);
  followed.set(page, before);
  return before;
};

describe("what a reader types", () => {
  let missing: string | undefined;
  beforeAll(async () => {
    missing = await missingTerminal();
    if (missing !== undefined) return;
    packed = await packages();
    receiver = await startReceiver();
    room = await mkdtemp(join(tmpdir(), "shiplog-reader-"));
    await mkdir(join(room, "builds"));
    shell = await openReaderShell(room, { DATABASE_URL, SHIPLOG_BUILDS: join(room, "builds") }, ANSWERS);
  });
  afterAll(async () => {
    await shell?.close();
    await receiver?.close();
    if (room !== undefined) await rm(room, { recursive: true, force: true });
  });

  it.for(PAGES)("does what the page says, line by line: %s", async (page, { skip }) => {
    if (missing !== undefined) return skip(missing);
    await reach(page);
  });
});

describe("what this test leaves out and adds", () => {
  it("is every guide that it does not follow, with the reason", () => {
    const guides = globSync("docs/guides/*.md", { cwd: pathOf(".") });
    expect([...PAGES.filter((page) => page !== START), ...Object.keys(UNREAD)].sort()).toEqual(guides.sort());
    for (const [page, why] of Object.entries(UNREAD)) console.info(`${page} is not followed: ${why}`);
  });

  it.each(UNTYPED)("is a block that there is: $page: $begins, since $why", ({ page, begins, why }) => {
    const left = blocks(page).filter(({ text }) => text.startsWith(begins));
    expect(left).toHaveLength(1);
    console.info(`${page}:${left[0]?.line} is not typed: ${why}`);
  });

  it.each(PLACEHOLDERS)("is a placeholder of the page: $page: $written", ({ page, written }) => {
    expect(commands(page).some(({ text }) => text.includes(written))).toBe(true);
  });

  it.each(Object.entries(PROMISES).flatMap(([page, names]) => Object.keys(names).map((name) => ({ page, name }))))(
    "is a promise of a line of the page: $page: $name",
    ({ page, name }) => {
      expect(commands(page).some((command) => isPromised(name, command))).toBe(true);
    },
  );
});
