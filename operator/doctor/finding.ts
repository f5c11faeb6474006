/** One thing that was looked at. */
export type Finding = {
  /** what it is, for a person: "queue shiplog-advance" */
  readonly what: string;
  readonly state: "ok" | "missing" | "wrong";
  /** how it is; a sentence where something is not right */
  readonly says: string;
  /** what to do about it; `null` where nothing is to be done */
  readonly mend: string | null;
};

export const ok = (what: string, says: string): Finding => ({ what, state: "ok", says, mend: null });
export const missing = (what: string, mend: string): Finding => ({ what, state: "missing", says: "is not there", mend });
export const wrong = (what: string, says: string, mend: string): Finding => ({ what, state: "wrong", says, mend });
