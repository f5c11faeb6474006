import type { Browser } from "playwright-core";
import { startBrowser } from "../support/browser.ts";

let browser: Promise<Browser | undefined> | undefined;

export type Visit = {
  readonly text: string;
  /** requests that failed, answers of 400 and above, errors on the console and of scripts */
  readonly faults: readonly string[];
};

/** Opens a page in a real browser and waits until it shows these words and nothing is on its way any more. Throws where no browser is installed. */
export const visit = async (url: string, words: string): Promise<Visit> => {
  browser ??= startBrowser();
  const opened = await browser;
  if (opened === undefined) throw new Error("no browser is installed: npm ci brings one");
  const page = await opened.newPage();
  const faults: string[] = [];
  page.on("requestfailed", (request) => faults.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on("response", (response) => void (response.status() >= 400 && faults.push(`${response.url()}: ${response.status()}`)));
  page.on("console", (message) => void (message.type() === "error" && faults.push(message.text())));
  page.on("pageerror", (error) => faults.push(error.message));
  try {
    await page.goto(url, { waitUntil: "networkidle" });
    await page.waitForFunction(`document.body.innerText.includes(${JSON.stringify(words)})`);
    return { text: await page.innerText("body"), faults };
  } finally {
    await page.close();
  }
};

export const closeBrowser = async (): Promise<void> => {
  await (await browser)?.close();
  browser = undefined;
};
