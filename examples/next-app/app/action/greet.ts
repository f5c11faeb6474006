"use server";

import { RELEASE_ID } from "../release";

export type Greeting = { text: string; release: string } | undefined;

/** Greets the name in the form and tells which release ran the action. */
export async function greet(_previous: Greeting, form: FormData): Promise<Greeting> {
  const name = String(form.get("name") ?? "").trim() || "sailor";
  return { text: `Hello, ${name.slice(0, 40)}`, release: RELEASE_ID };
}
