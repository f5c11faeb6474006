import type { Metadata } from "next";
import { Facts } from "../facts";

export const metadata: Metadata = { title: "Refreshed" };
export const revalidate = 2;

export default function Refreshed() {
  return (
    <>
      <h1>Kept, and refreshed behind the scenes</h1>
      <p>After two seconds the next visitor still gets this copy, and the one after that a new one.</p>
      <Facts how="Kept for two seconds, then refreshed in the background" made={new Date().toISOString()} />
    </>
  );
}
