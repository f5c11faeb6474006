import type { Metadata } from "next";
import { Facts } from "../facts";

export const metadata: Metadata = { title: "Per request" };
export const dynamic = "force-dynamic";

export default function PerRequest() {
  return (
    <>
      <h1>Rendered for each request</h1>
      <p>Reload: the time changes every time.</p>
      <Facts how="Rendered for this request" made={new Date().toISOString()} />
    </>
  );
}
