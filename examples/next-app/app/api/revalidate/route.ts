import { revalidateTag } from "next/cache";
import { RELEASE_ID } from "../../release";

/** Makes everything under a tag stale at once: `POST /api/revalidate?tag=tide`. */
export function POST(request: Request): Response {
  const tag = new URL(request.url).searchParams.get("tag");
  if (!tag) return Response.json({ error: "Say which tag: POST /api/revalidate?tag=tide" }, { status: 400 });
  // `expire: 0`, not "max": the next visit must wait for the new page instead of getting the old one once more.
  revalidateTag(tag, { expire: 0 });
  return Response.json({ revalidated: tag, release: RELEASE_ID });
}
