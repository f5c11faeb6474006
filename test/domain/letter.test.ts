import { describe, it } from "vitest";
import { storable } from "../../domain/kernel/text.ts";
import type { LetterCommand } from "../../domain/letter/commands.ts";
import { letter } from "../../domain/letter/decider.ts";
import type { LetterEvent } from "../../domain/letter/events.ts";
import { asked, specification } from "../support/given.ts";

const given = specification(letter);
const past = asked(letter);
const aside = { consumer: "flip-alias", failure: "Lambda was away", about: "environment/web/production" };
const redrive: LetterCommand = { type: "RedriveLetter", ...aside };
const drop: LetterCommand = { type: "DropLetter", ...aside, reason: "a newer release is live" };
const redriven: LetterEvent = { type: "LetterRedriven", v: 1, body: aside };
const dropped: LetterEvent = { type: "LetterDropped", v: 1, body: { ...aside, reason: "a newer release is live" } };

describe("a dead letter", () => {
  it("is sent again, or dropped, and asked for the same once more it is so already", () => {
    given().when(redrive).yields(redriven);
    given(...past(redrive))
      .when({ ...redrive, reason: "once more" })
      .yields();
    given().when(drop).yields(dropped);
    given(...past(drop))
      .when(drop)
      .yields();
  });
  it("that is there still is decided anew, and the log keeps both", () => {
    given(...past(redrive))
      .when(drop)
      .yields(dropped);
    given(...past(redrive, drop))
      .when(redrive)
      .yields(redriven);
  });
  it("keeps reasons of any length, and what acts on a screen, so that they can be read again", () => {
    const [long, hidden] = ["x".repeat(3_000), "\u001b[31mred\u202e"];
    given()
      .when({ ...drop, failure: long, reason: hidden })
      .yields({ type: "LetterDropped", v: 1, body: { ...aside, failure: `${"x".repeat(1_999)}…`, reason: storable(hidden) } });
    given()
      .when({ ...redrive, failure: " " })
      .yields({ type: "LetterRedriven", v: 1, body: { ...aside, failure: "no reason was given" } });
  });
});
