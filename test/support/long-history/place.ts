import { environment } from "../../../domain/environment/decider.ts";
import type { EnvironmentEvent } from "../../../domain/environment/events.ts";
import { environmentStream } from "../../../domain/kernel/identity.ts";
import { actor, type Because, type Stage, type Story } from "../long-history.ts";
import { attempt, type Place, settle } from "./attempt.ts";

const PEOPLE = ["ada", "grace", "edsger", "barbara", "ci"];
/** Deployments of one environment that are under way at once, at most. */
const AT_ONCE = 3;

/** One environment and whoever works on it. */
export function* place(stage: Stage, site: string, name: string): Story {
  const { random } = stage;
  const here: Place = { site, name, of: actor(environmentStream(site, name), environment), running: new Map(), released: 0 };
  let stories: Story[] = [];
  for (let n = 0; ; n++) {
    const by: Because = {
      actor: random.pick(PEOPLE),
      origin: `token:${random.pick(PEOPLE)} 203.0.113.${random.int(200) + 1}`,
      correlation: `cmd_${site}_${name}_${n}`,
    };
    if (stories.length === 0 || (stories.length < AT_ONCE && random.chance(0.015))) stories.push(attempt(stage, here, by));
    else if (random.chance(held(here) ? 0.05 : 0.01)) {
      const followed = intervene(stage, here, by);
      if (followed.length > 0) stories.push(settle(stage, here, followed, by));
    }
    const story = random.pick(stories);
    if (story.next().done) stories = stories.filter((other) => other !== story);
    yield;
  }
}

const held = ({ of }: Place): boolean => of.state.pinned || of.state.lock !== null;

/** What people do beside deploying; gives what the environment decided. */
function intervene(stage: Stage, here: Place, by: Because): readonly EnvironmentEvent[] {
  const { random, ask } = stage;
  const said = { actor: by.actor, at: new Date(stage.now()).toISOString() };
  const { of } = here;
  if (of.state.lock !== null) return ask(of, { type: "UnlockEnvironment", reason: "done", force: true, ...said }, by);
  if (of.state.pinned) return ask(of, { type: "UnpinEnvironment", reason: "repaired", ...said }, by);
  const what = random.next();
  if (what < 0.5) return ask(of, { type: "RequestRollback", why: "errors at the checkout", ...said }, by);
  if (what < 0.7) return ask(of, { type: "PinEnvironment", reason: "the sale begins" }, by);
  if (what < 0.85) return ask(of, { type: "LockEnvironment", reason: "moving the database", until: null, ...said }, by);
  const found = { version: "9", description: "by hand" };
  return ask(of, { type: "RecordDrift", function: `shiplog-${here.site}-${here.name}-server`, expected: null, found }, by);
}
