import type { LetterEvent } from "./events.ts";

type Body<T extends LetterEvent["type"]> = Extract<LetterEvent, { type: T }>["body"];

/** What may be asked of a dead letter. Only Shiplog's own code makes these: input from outside is checked at its door. */
export type LetterCommand = ({ type: "RedriveLetter" } & Body<"LetterRedriven">) | ({ type: "DropLetter" } & Body<"LetterDropped">);
