import type { Metadata } from "next";
import { Facts } from "../facts";
import { GreetingForm } from "./greeting-form";

export const metadata: Metadata = { title: "Action" };

export default function Action() {
  return (
    <>
      <h1>A form that works without JavaScript</h1>
      <GreetingForm />
      <Facts how="Rendered with the release; the answer to the form by the server" />
    </>
  );
}
