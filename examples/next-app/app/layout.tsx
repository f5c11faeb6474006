import type { Metadata } from "next";
import Link from "next/link";
import type { ReactNode } from "react";
import { RELEASE_ID } from "./release";
import "./style.css";

export const metadata: Metadata = {
  title: { default: "Harbour", template: "%s · Harbour" },
  description: "A small app that says which release answers",
  other: { release: RELEASE_ID },
};

const PAGES = [
  ["/ssr", "Per request"],
  ["/isr", "Refreshed"],
  ["/tagged", "Tagged"],
  ["/products/1", "Products"],
  ["/action", "Action"],
] as const;

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en" data-release={RELEASE_ID}>
      <body>
        <header>
          <Link href="/" className="name">
            Harbour
          </Link>
          <nav>
            {PAGES.map(([href, label]) => (
              <Link key={href} href={href}>
                {label}
              </Link>
            ))}
          </nav>
        </header>
        <main>{children}</main>
        <footer>
          <a href="/robots.txt">robots.txt</a>
          <a href="/release.txt">release.txt</a>
          <a href="/docs/guide.txt">guide.txt</a>
          <a href="/api/hello">/api/hello</a>
        </footer>
      </body>
    </html>
  );
}
