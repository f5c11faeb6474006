"use client";

import { useActionState } from "react";
import { greet } from "./greet";

/** Without JavaScript the browser posts the form to this page, and the server renders the page again with the answer. */
export function GreetingForm() {
  const [greeting, submit, pending] = useActionState(greet, undefined, "/action");
  return (
    <form action={submit} className="row">
      <label htmlFor="name">Your name</label>
      <input id="name" name="name" autoComplete="off" maxLength={40} />
      <button type="submit" disabled={pending}>
        Greet
      </button>
      {greeting ? (
        <output id="greeting" data-release={greeting.release}>
          {greeting.text}
        </output>
      ) : null}
    </form>
  );
}
