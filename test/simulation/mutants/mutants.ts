/** A known-wrong protocol: the engine's own source with some lines exchanged. Every `from` must be there, once. */
export type Mutant = {
  readonly name: string;
  readonly changes: readonly Change[];
  /** `orders`: seen where every order of the calls of a few flips is tried. Worlds hardly ever have two flips at one alias. */
  readonly by?: "orders";
  /** the theme of the worlds that show it (themes.ts); else each seed's own */
  readonly theme?: string;
};

/** What few worlds show: more are needed than the end-to-end tests have time for. `npm run simulate:mutants` plants them. */
export const rare: ReadonlySet<string> = new Set([
  "settings are not read again after they were changed",
  "what waited is forgotten before it is in its queue",
  "the mender forgets what was lost while it was away",
  "what a clock ahead has dated has no age",
  "no row hears of what it missed while clocks were far off",
  "nobody looks for what begins",
  "what a flip that has begun makes untrue is decided all the same",
  "publishers do not go by what was recorded first",
  "who remembers rows of causes that were dropped trusts them",
  "who remembers rows of causes that were dropped writes the rest behind them",
  "a damaged snapshot is taken",
  "nobody waits for a sweep, and a sweep for nobody",
  "a sweep goes by what the log has alone",
  "what a flip came to nothing of goes at once",
]);
export type Change = { readonly file: string; readonly from: string; readonly to: string };

const one = (name: string, file: string, from: string, to: string): Mutant => ({ name, changes: [{ file, from, to }] });
const several = (name: string, ...changes: readonly Change[]): Mutant => ({ name, changes });

export const mutants: readonly Mutant[] = [
  one(
    "an alias is written blindly",
    "services/flip-alias/move-alias.ts",
    `    if (judged.is === "newer") return { is: "superseded", by: judged.fence.sequence };\n`,
    "",
  ),
  {
    ...one(
      "a refused write of an alias is repeated with the revision of a plain read",
      "services/flip-alias/move-alias.ts",
      'if (judged.is === "newer")',
      'if (tries === 1 && judged.is === "newer")',
    ),
    by: "orders",
  },
  one(
    "a version is taken for the right one without a look at its code",
    "services/publish-release/publish-function.ts",
    "version.codeSha256 === code.sha256 && sameSettings",
    "sameSettings",
  ),
  one(
    "what was published is not compared with what was uploaded",
    "services/publish-release/publish-function.ts",
    "if (published.codeSha256 !== code.sha256)",
    "if (published.codeSha256 === undefined)",
  ),
  one(
    "a version is used before it is active",
    "services/publish-release/publish-function.ts",
    "(await active(version)).version",
    "version.version",
  ),
  one(
    "settings are not read again after they were changed",
    "services/publish-release/publish-function.ts",
    "      if (!sameSettings(latest, settings))\n        throw",
    "      if (latest === undefined)\n        throw",
  ),
  one(
    "a message is acknowledged before its effect",
    "engine/kit/consumer.ts",
    "await handleOne(message, { message: record.messageId, last: receives >= maxReceives, receives, givesUp });",
    "void handleOne(message, { message: record.messageId, last: receives >= maxReceives, receives, givesUp }).catch(() => undefined);",
  ),
  one(
    "what waited is forgotten before it is in its queue",
    "services/wake/wake.ts",
    "          await send(one.consumer as ConsumerName, one.body);\n          await rows.forgetWaiting(one);",
    "          await rows.forgetWaiting(one);\n          await send(one.consumer as ConsumerName, one.body);",
  ),
  one("a message that nobody can handle is dropped", "engine/kit/consumer.ts", "      await redelivery.deadLetter(record, reason);\n", ""),
  one(
    "nobody looks whether a cause was handled",
    "engine/log/execute.ts",
    "if (handled !== undefined) return",
    "if (handled !== undefined && stream === because.actor) return",
  ),

  {
    ...one(
      "whether a cause was handled is asked of a replica that may be behind",
      "engine/log/snapshots.ts",
      "ConsistentRead: true }",
      "ConsistentRead: false }",
    ),
    theme: "said again",
  },

  {
    ...one(
      "a snapshot is written before its causes are indexed, and who writes them dies",
      "engine/log/folded-streams.ts",
      "await snapshots.index(stream, now, noted, upTo)",
      "await snapshots.index(stream, [], noted, upTo)",
    ),
    theme: "said again",
  },

  {
    ...one(
      "who remembers rows of causes that were dropped trusts them",
      "engine/log/folded-streams.ts",
      "looked.indexed.version < found.indexed;",
      "looked.indexed.version < found.indexed - 1_000;",
    ),
    theme: "said again",
  },

  {
    ...one(
      "who remembers rows of causes that were dropped writes the rest behind them",
      "engine/log/folded-streams.ts",
      "if (byOthers < folded.indexed) return",
      "if (byOthers < folded.indexed - 1_000) return",
    ),
    theme: "said again",
  },

  one(
    "a process remembers what it decided ahead of its commit",
    "engine/log/execute.ts",
    "for (const event of outcome) readEvent(event);",
    "for (const event of outcome) decider.evolve(state, readEvent(event));",
  ),
  one(
    "who goes on with a remembered state changes it for everybody",
    "engine/log/folded-streams.ts",
    "let state = structuredClone(from.state);",
    "let state = from.state;",
  ),
  several(
    "a damaged snapshot is taken",
    {
      file: "engine/log/snapshots.ts",
      from: "digestOf(stream, shape, snapshot) === digest.S ? snapshot : undefined",
      to: "digest.S !== '' ? snapshot : undefined",
    },
    { file: "engine/log/event-store.ts", from: "known?.version === version && known.hash === hash ?", to: "known?.version === version ?" },
  ),
  one(
    "a projection passes over a gap of versions",
    "engine/views/keep-row.ts",
    "await read(stream, from)",
    "await read(stream, version - 1)",
  ),
  several(
    "a sequence is taken when a build ends",
    {
      file: "domain/environment/decider.ts",
      from: `  const flip: Flip = { sequence, deploymentId, release, reason: "deploy", actor };\n  if (!state.pending`,
      to: `  const flip: Flip = { sequence: state.sequence + 1, deploymentId, release, reason: "deploy", actor };\n  if (!state.pending`,
    },
    {
      file: "domain/environment/decider.ts",
      from: "if (sequence <= newer) return [superseded(flip, newer)];",
      to: "if (flip.sequence <= newer) return [superseded({ ...flip, sequence }, newer)];",
    },
  ),
  one(
    "a rollback uses the sequence that its release had",
    "domain/environment/decider.ts",
    "  const sequence = state.sequence + 1;\n  return [\n    ...(state.waiting",
    "  const sequence = plan.to.sequence;\n  return [\n    ...(state.waiting",
  ),
  one(
    "a partial PutEvents counts as success",
    "engine/aws/bus.ts",
    "left.filter((_, index) => Entries[index]?.EventId === undefined)",
    "left.filter(() => Entries.length === 0)",
  ),
  one(
    "the relay notes what it is about to publish",
    "engine/log/relay-commit.ts",
    "    await Promise.all([publish(missing.flatMap(eventsOf)), noteUnsealed(stream, last)]);\n    await setRelayed(stream, last);",
    "    await setRelayed(stream, last);\n    await Promise.all([publish(missing.flatMap(eventsOf)), noteUnsealed(stream, last)]);",
  ),
  one(
    "success is said before the alias was read back",
    "services/flip-alias/flip-alias.ts",
    "const { by, unproven: unseen } = await verifyAliases(ports, flip, site);",
    "const { by, unproven: unseen } = verifyAliases.length > 9 ? await verifyAliases(ports, flip, site) : { by: undefined };",
  ),
  {
    ...one(
      "an alias that nobody may ask is taken for moved without being read",
      "services/flip-alias/move-aliases.ts",
      "return readBack(ports, flip, target, noRoom(name, ALIAS));",
      "return { unproven: noRoom(name, ALIAS) };",
    ),
    theme: "rollbacks",
  },
  several(
    "the revalidation function is not flipped with the server",
    {
      file: "services/flip-alias/move-aliases.ts",
      from: `functions.filter(({ role }) => role !== "server")`,
      to: `functions.filter(({ role }) => role !== "server" && role !== "revalidation")`,
    },
    {
      file: "services/flip-alias/move-aliases.ts",
      from: "release.functions.map((target) => verifyOne(",
      to: `release.functions.filter(({ role }) => role !== "revalidation").map((target) => verifyOne(`,
    },
  ),
  one(
    "one function of three is forgotten, and the flip waits for it in vain",
    "services/flip-alias/move-aliases.ts",
    `functions.filter(({ role }) => role !== "server")`,
    `functions.filter(({ role }) => role !== "server" && role !== "revalidation")`,
  ),
  one(
    "a flip does not ask whether its deployment was cancelled meanwhile",
    "services/flip-alias/flip-alias.ts",
    `flip.reason === "deploy" && (await endedMeanwhile(ports, flip))`,
    `flip.reason === "deploy" && endedMeanwhile.length > 9`,
  ),
  one(
    "a cancel ends before the build has stopped",
    "domain/deployment/decider.ts",
    `  return state.status === "queued" || state.status === "building"\n    ? [requested]`,
    `  return state.request === null\n    ? [requested]`,
  ),
  one(
    "an older deployment that is ready late goes live",
    "domain/environment/decider.ts",
    "if (sequence <= newer) return [superseded(flip, newer)];",
    "if (sequence < 0) return [superseded(flip, newer)];",
  ),
  several(
    "a delivery is noted before it is in its queue",
    { file: "services/notify/notify.ts", from: "        await send(JSON.stringify(message));\n", to: "" },
    {
      file: "services/notify/notify.ts",
      from: "await rows.noteDelivery(newDelivery(delivery, webhook, news, new Date(now).toISOString()), news);\n",
      to: "await rows.noteDelivery(newDelivery(delivery, webhook, news, new Date(now).toISOString()), news);\n        await send(JSON.stringify(message));\n",
    },
  ),
  // what the simulation found once, planted again
  // by time, and by the heads that rows and declarations know: either finds nearly all that the other does
  several(
    "the mender forgets what was lost while it was away",
    { file: "services/reconcile/mend.ts", from: "Math.min(noted, until)) - WINDOW_MS", to: "until) - WINDOW_MS" },
    {
      file: "services/reconcile/mend.ts",
      from: "(await relayRest(ports, stream)) || (await tellRow(ports, stream, version))",
      to: 'stream === "" && (await relayRest(ports, stream)) && (await tellRow(ports, stream, version))',
    },
  ),
  {
    ...several(
      "nobody brings a row what it missed",
      {
        file: "services/reconcile/environments.ts",
        from: "(await ports.isProjectedTo(version, site, environment))",
        to: "version > 0",
      },
      {
        file: "services/reconcile/mend.ts",
        from: "(await projected(commit.stream)) < commit.version",
        to: "(await projected(commit.stream)) < 0",
      },
      { file: "services/reconcile/mend.ts", from: "|| (await tellRow(ports, stream, version))", to: "" },
    ),
    theme: "rows behind",
  },
  several(
    "a flip that fails does not write down what moved before",
    {
      file: "services/reconcile/environments.ts",
      from: "fence.sequence <= (known?.sequence ?? 0) ||",
      to: "fence.sequence > 0 ||",
    },
    {
      file: "services/flip-alias/move-aliases.ts",
      from: "      if (found !== undefined && fence !== undefined) await log.note(",
      to: "      if (found !== undefined && fence?.sequence === -1) await log.note(",
    },
  ),
  // what hands, clocks and outages do
  one(
    "a number that a hand wrote on an alias is newer than every flip",
    "domain/environment/fence.ts",
    "fence.sequence > Math.max(highest, flip.sequence)",
    "fence.sequence < 0",
  ),
  one(
    "weights that a hand put on an alias are nothing",
    "domain/environment/fence.ts",
    'return judged.is === "ours" && !judged.weighted;',
    'return judged.is === "ours";',
  ),
  one(
    "a flip keeps the weights that a hand put on an alias",
    "engine/aws/functions.ts",
    "        RoutingConfig: { AdditionalVersionWeights: {} },\n",
    "",
  ),
  one(
    "retries last for a minute",
    "blueprint/topology.ts",
    "maxReceives: 24, firstSeconds: 2, longestSeconds: 300",
    "maxReceives: 6, firstSeconds: 2, longestSeconds: 300",
  ),
  one(
    "a deployment that was never told how its flip ended has failed by its deadline",
    "services/reconcile/deployments.ts",
    "if (!state.pending.has(view.id) && (",
    'if (view.id === "" && (',
  ),
  one(
    "what a clock ahead has dated has no age",
    "engine/kit/age.ts",
    "(isAhead(at, now) ? UNKNOWN_MS : now - Date.parse(at))",
    "(isAhead(at, now) ? 0 : now - Date.parse(at))",
  ),
  one(
    "the mender looks for nothing ahead of its clock",
    "services/reconcile/mend.ts",
    "  ...(await mendKnown(ports)),\n  ...(await mendNewest(ports)),\n  ...(await mendBegun(ports)),\n",
    "",
  ),
  // the edge's table
  {
    ...one(
      "a row is written blindly",
      "services/flip-alias/switch-edge.ts",
      // the row of a newer flip, and the alias that it moved before
      "    if (found !== undefined && isNewer(found, flip, state)) return { by: found.sequence };\n    if (isOvertaken(flip, state)) return { by: Math.max(state.edge?.sequence ?? 0, flip.sequence) };\n    const by = await movedBy(functions, flip, state);\n    if (by !== undefined) return { by };\n",
      "    if (isOvertaken(flip, state)) return { by: Math.max(state.edge?.sequence ?? 0, flip.sequence) };\n",
    ),
    by: "orders",
  },
  {
    ...one(
      "a row is guarded by the version that the table has when it is written",
      "services/flip-alias/switch-edge.ts",
      "await edgeTable.update(store.table, version,",
      "await edgeTable.update(store.table, version && (await edgeTable.version(store.table)),",
    ),
    by: "orders",
  },
  {
    ...one(
      "a replay of the edge writes at whatever version the table has by then",
      "operator/replay/edge.ts",
      "await edgeTable.update(table, snapshot.version,",
      "await edgeTable.update(table, snapshot.version && (await edgeTable.version(table)),",
    ),
    theme: "rows of the edge",
  },
  one(
    "a row is written before the aliases are moved",
    "services/flip-alias/flip-alias.ts",
    "  const moved = await moveAliases(ports, flip, before);",
    "  await sendVisitors(ports, flip, site, route);\n  const moved = await moveAliases(ports, flip, before);",
  ),
  one(
    "success is said before the row was written",
    "services/flip-alias/flip-alias.ts",
    "return store === undefined ? {} :",
    "return site.skewHours >= 0 ? {} : store === undefined ? {} :",
  ),
  one(
    "a row is written before its addresses are made",
    "services/flip-alias/route.ts",
    "makeAddresses(ports, { address, deploymentId, functions })",
    'makeAddresses({ addresses: { make: async () => "https://abc.lambda-url.eu-west-1.on.aws/" } }, { address, deploymentId, functions })',
  ),
  one(
    "a release that is left behind is sent to for ever",
    "services/flip-alias/switch-edge.ts",
    "...one, until: Math.ceil(until / 1_000) }",
    "...one, ...(until < 0 && { until }) }",
  ),
  one(
    "pages of all releases are kept under one key",
    "blueprint/edge-behaviors.ts",
    'headers: [...SERVER_HEADERS, "x-forwarded-host", RELEASE_HEADER]',
    'headers: [...SERVER_HEADERS, "x-forwarded-host"]',
  ),
  one(
    "a document is sent to the release that it names",
    "blueprint/edge-router.js",
    "isDocument(request) ? undefined : releaseNamed(request)",
    "releaseNamed(request)",
  ),
  one(
    "what a page of a release asks for is sent to what is live",
    "blueprint/edge-router.js",
    "isDocument(request) ? undefined : releaseNamed(request)",
    "undefined",
  ),
  one(
    "a release is sent to although its time is over",
    "blueprint/edge-router.js",
    "!(route.until * 1000 <= Date.now())",
    "!(route.until * 1000 <= 0)",
  ),
  several(
    "a release ends by its age, and not by when it left live",
    {
      file: "services/reconcile/environments.ts",
      from: "const endWindows = async ({ now }: Ports, { state, record }: Observed)",
      to: "const endWindows = async ({ now, back }: Ports, { stream, state, record }: Observed)",
    },
    {
      file: "services/reconcile/environments.ts",
      from: "if (ended === null && until !== null && (until <= at || crowded.has(release)))",
      to: "if (ended === null && (await newestOf(back(stream), ({ at, body }) => body.route?.release === release && ageOf(at, now()) > 3_600_000)))",
    },
    {
      file: "domain/environment/ended-release.ts",
      from: "if (isOver(routed, at)) return [ended",
      to: "if (at !== release) return [ended",
    },
  ),
  one("an address goes as soon as its row does", "engine/edge/grace.ts", "10 * 60_000", "0"),
  one(
    "a lost row is not written again",
    "services/reconcile/edge-row.ts",
    '  if (text === undefined) await restore(ports, observed, "row", cause);\n',
    "",
  ),
  one(
    "a lost row is not written again after its restore failed",
    "services/reconcile/edge-row.ts",
    "now() - Date.parse(last.at) < pauseMs) return;",
    "pauseMs > 0) return;",
  ),
  {
    ...one(
      "an address of what is live that a hand deleted is made again by nobody",
      "services/reconcile/edge-row.ts",
      '    if (!isAnswered) await restore(ports, observed, "address", cause);\n',
      "",
    ),
    theme: "rows of the edge",
  },
  one(
    "the row of a flip that has not said so yet is a hand's",
    "domain/environment/edge-drift.ts",
    "state.edgeDrift === body.found || isOfFlip(body.found, state)",
    "state.edgeDrift === body.found",
  ),
  {
    ...one(
      "publishers do not go by what was recorded first",
      "services/publish-release/publish-release.ts",
      "  return (await recorded()) ?? functions;",
      "  return functions;",
    ),
    theme: "publishers at once",
  },
  {
    ...one(
      "the mender looks for nothing that a clock behind has dated",
      "services/reconcile/mend.ts",
      "if (last === undefined || Math.abs(now() - Date.parse(last.at)) < SETTLE_MS) return false;",
      "if (last === undefined || now() - Date.parse(last.at) > -SETTLE_MS) return false;",
    ),
    theme: "first events lost",
  },
  {
    ...one(
      "no row hears of what it missed while clocks were far off",
      "services/reconcile/mend.ts",
      "|| (await tellRow(ports, stream, version))",
      "",
    ),
    theme: "rows behind",
  },
  {
    ...one("nobody looks for what begins", "services/reconcile/mend.ts", "  ...(await mendBegun(ports)),\n", ""),
    theme: "first events lost",
  },
  one(
    "the pin of a rollback that failed stays",
    "domain/environment/decider.ts",
    "  const unpinned = takePinBack(flip, state);\n  const isNewer",
    "  const unpinned = takePinBack({ ...flip, sequence: -1 }, state);\n  const isNewer",
  ),
  one(
    "what a flip that has begun makes untrue is decided all the same",
    "services/reconcile/deployments.ts",
    "step, reason, beforeFlip: true }",
    "step, reason }",
  ),
  // sweeps
  ...[
    several(
      "a sweep goes by age alone",
      {
        file: "domain/environment/verdict.ts",
        from: "by.find(([, set]) => set.has(deploymentId))",
        to: 'by.find(([rule, set]) => rule === "live" && set.has(deploymentId))',
      },
      {
        file: "domain/environment/verdict.ts",
        from: 'return reached.has(release) || reached.has(deploymentId) ? "reached" : found;',
        to: "return reached.size < 0 ? release : found;",
      },
    ),
    several(
      "a sweep claims what was chosen while it looked",
      {
        file: "domain/environment/sweep.ts",
        from: "(sweep.until !== null || isProtected(one) === undefined)",
        to: "isProtected(one) !== null",
      },
      { file: "domain/environment/sweep.ts", from: "state.open.size > 0 || isClaimed", to: "isClaimed" },
      { file: "domain/environment/sweep.ts", from: "flipped !== null && flipped !== state.flipped", to: "flipped === 0" },
    ),
    several(
      "what is marked is never looked at again",
      {
        file: "domain/environment/sweep.ts",
        from: "(sweep.until !== null || isProtected(one) === undefined)",
        to: "isProtected(one) !== null",
      },
      {
        file: "services/sweep/sweep.ts",
        from: "sweep.until === null ? await stillGoing(ports, place) : await lookTaken(ports, place, sweep)",
        to: "await lookTaken(ports, place, sweep)",
      },
    ),
    one("a sweep goes by what the log has alone", "engine/sweep/served.ts", "return { ids, addresses, versions };", "return nobodyLooked;"),
    one(
      "what a flip came to nothing of goes at once",
      "domain/environment/verdict.ts",
      "recent.mayFlip.has(one.deploymentId)",
      "recent.mayFlip.has(`not $" + "{one.deploymentId}`)",
    ),
    one(
      "everything on a list goes, whatever has it by now",
      "services/sweep/sweep.ts",
      "[...plan.thingsBut(versions), ...plan.others].filter(",
      "[...(list?.things ?? []), ...(list?.others ?? [])].filter(",
    ),
    one(
      "versions go with the first release that has them",
      "engine/sweep/things.ts",
      "if (!rest.versions.has(`$" + "{name}:$" + "{version}`)) add",
      "if (rest.versions.size >= 0) add",
    ),
    one(
      "files go with the first release that has them",
      "engine/sweep/things.ts",
      "if (!files.has(path)) yield",
      "if (files.size >= 0) yield",
    ),
    several(
      "nobody waits for a sweep, and a sweep for nobody",
      { file: "services/publish-release/publish-release.ts", from: "    await waitForSweep(ports, work);\n", to: "" },
      { file: "services/sweep/sweep.ts", from: "  if ((await publishing(ports, work)) !== undefined) return;\n", to: "" },
      { file: "services/sweep/sweep.ts", from: "busy === undefined ? saySent(", to: "busy !== null ? saySent(" },
    ),
    several(
      "a manifest goes first",
      { file: "engine/sweep/things.ts", from: 'kinds = ["row", "address"', to: 'kinds = ["manifest", "row", "address"' },
      { file: "engine/sweep/things.ts", from: '"artifact", "manifest"] as const', to: '"artifact"] as const' },
    ),
    one(
      "what an alias was moved to by a flip that failed is swept",
      "domain/environment/verdict.ts",
      '    ["moved-to", ids(state.aliases.values())],\n',
      "",
    ),
    one(
      "a claim that a clock ahead has dated lasts for as long as it says",
      "domain/environment/sweep.ts",
      "sweep.until > after && sweep.until <= upTo",
      "sweep.until > after && upTo !== undefined",
    ),
  ].map((mutant) => ({ ...mutant, theme: "sweeping" })),
];
