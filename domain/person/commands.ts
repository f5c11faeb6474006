/** What may be asked of a person's name. Only Shiplog's own code makes these: input from outside is checked at its door. */
export type PersonCommand = { type: "ForgetPerson"; reason?: string };
