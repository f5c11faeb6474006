import { takeOver } from "../../local/one-at-a-time.ts";

/** A process that claims each folder that it is told of, says how that ended, and keeps what it got until it ends. */
process.on("message", async (folder: string) => {
  process.send?.(
    await takeOver(folder).then(
      () => "mine",
      (error: Error) => error.name,
    ),
  );
});
process.send?.("ready");
