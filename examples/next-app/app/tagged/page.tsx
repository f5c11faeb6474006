import type { Metadata } from "next";
import { unstable_cache } from "next/cache";
import { Facts } from "../facts";

export const metadata: Metadata = { title: "Tagged" };

/** Made once and kept until someone posts to `/api/revalidate?tag=tide`. */
const tide = unstable_cache(async () => ({ made: new Date().toISOString() }), ["tide"], { tags: ["tide"], revalidate: false });

export default async function Tagged() {
  const { made } = await tide();
  return (
    <>
      <h1>Kept until its tag is revalidated</h1>
      <p>
        <code>curl -X POST …/api/revalidate?tag=tide</code> makes the next visit render it again.
      </p>
      <Facts how="Kept under the tag “tide”" made={made} />
    </>
  );
}
