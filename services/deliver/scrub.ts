import type { EndpointSecret } from "../../engine/webhooks/webhook-secrets.ts";

const HIDDEN = "***";
/** A part of a URL that is shorter is no secret. */
const SHORTEST_PART = 8;
/** So much of a hidden text is enough to hide it, where the answer was cut in the middle of it. */
const SHORTEST_BEGINNING = 4;

/** An answer may repeat what it was asked: the log of deliveries must not hold the URL, a part of it or a secret because of that. */
export const scrubbed = (answer: string | null, secret: EndpointSecret): string | null => {
  if (answer === null) return null;
  const hidden = hiddenOf(secret);
  const text = hidden.reduce((left, part) => left.replaceAll(part, HIDDEN), answer);
  const begun = Math.max(0, ...hidden.map((part) => begunAtTheEnd(text, part)));
  return begun === 0 ? text : `${text.slice(0, -begun)}${HIDDEN}`;
};

/** The longest first, since one may hold another. */
const hiddenOf = ({ url, signing }: EndpointSecret): string[] => {
  const { pathname, search, searchParams } = new URL(url);
  const parts = [...pathname.split("/"), ...search.slice(1).split(/[&=]/), ...searchParams.values()].flatMap((part) => [
    part,
    decoded(part),
  ]);
  const secrets = signing.flatMap(({ secret }) => [secret, secret.replace(/^whsec_/, "")]);
  return [url, `${pathname}${search}`, ...parts.filter(({ length }) => length >= SHORTEST_PART), ...secrets]
    .filter(({ length }) => length > SHORTEST_BEGINNING)
    .sort((a, b) => b.length - a.length);
};

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

/** How many characters at the end of the text are the beginning of the part; 0 where they are too few to say. */
const begunAtTheEnd = (text: string, part: string): number => {
  for (let length = Math.min(part.length - 1, text.length); length >= SHORTEST_BEGINNING; length--)
    if (text.endsWith(part.slice(0, length))) return length;
  return 0;
};
