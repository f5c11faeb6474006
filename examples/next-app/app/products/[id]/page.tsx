import type { Metadata } from "next";
import Link from "next/link";
import { Facts } from "../../facts";

type Props = { params: Promise<{ id: string }> };

/** These are rendered with the release; every other id is rendered at its first visit and kept. */
export const generateStaticParams = () => ["1", "2", "3"].map((id) => ({ id }));

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: `Product ${(await params).id}` };
}

export default async function Product({ params }: Props) {
  const { id } = await params;
  return (
    <>
      <h1>{`Product ${id}`}</h1>
      <p className="row">
        {["1", "2", "3", "later"].map((other) => (
          <Link key={other} href={`/products/${other}`}>
            {other}
          </Link>
        ))}
      </p>
      <Facts how="Rendered with the release, or at the first visit" made={new Date().toISOString()} />
    </>
  );
}
