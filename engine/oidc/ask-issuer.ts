const TIMEOUT_MS = 5_000;
const MAX_CHARACTERS = 500_000;

/** Asks an issuer for a JSON document. @throws where none comes within five seconds, or another address is to be asked */
export const askIssuer = async (url: string): Promise<unknown> => {
  const answer = await fetch(url, {
    headers: { accept: "application/json" },
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  if (text.length > MAX_CHARACTERS) throw new Error(`${url} answered with ${text.length} characters`);
  return JSON.parse(text);
};
