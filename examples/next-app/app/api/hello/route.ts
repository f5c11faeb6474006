import { RELEASE_ID } from "../../release";

export const dynamic = "force-dynamic";

export function GET(): Response {
  return Response.json({ hello: "world", release: RELEASE_ID, at: new Date().toISOString() });
}

/** Tells how many bytes arrived: a body that was mangled on the way is seen at once. */
export async function POST(request: Request): Promise<Response> {
  return Response.json({ release: RELEASE_ID, bytes: (await request.arrayBuffer()).byteLength });
}
