import { draftMode } from "next/headers";
import { RELEASE_ID } from "../../release";

/** Begins a draft session: from now on this visitor's pages are made for each visit. An app of your own would ask who it is. */
export async function POST(): Promise<Response> {
  (await draftMode()).enable();
  return Response.json({ draft: true, release: RELEASE_ID });
}
