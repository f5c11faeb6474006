import Image from "next/image";
import { Facts } from "./facts";

export default function Home() {
  return (
    <>
      <h1>Every page says which release made it</h1>
      <p>Deploy again and reload: the release below changes at the moment of the flip, and no request is lost on the way.</p>
      <Image src="/harbour.png" alt="A lighthouse above a calm sea at dusk" width={1200} height={500} priority className="picture" />
      <Facts how="Rendered once, when the release was built" />
    </>
  );
}
