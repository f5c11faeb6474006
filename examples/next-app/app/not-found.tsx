import { Facts } from "./facts";

export default function NotFound() {
  return (
    <>
      <h1>There is no such page</h1>
      <Facts how="Rendered once, when the release was built" />
    </>
  );
}
