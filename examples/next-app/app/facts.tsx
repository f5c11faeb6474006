import { RELEASE_ID } from "./release";

/** What every page shows: which release rendered it, and when. Tests read the two ids. */
export function Facts({ how, made }: { how: string; made?: string }) {
  return (
    <dl className="facts">
      <dt>Release</dt>
      <dd>
        <code id="release">{RELEASE_ID}</code>
      </dd>
      {made ? (
        <>
          <dt>Made at</dt>
          <dd>
            <time id="made" dateTime={made}>
              {made}
            </time>
          </dd>
        </>
      ) : null}
      <dt>How</dt>
      <dd>{how}</dd>
    </dl>
  );
}
