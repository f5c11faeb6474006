import type { Site } from "./sites.ts";
import { INSTALLS } from "./sites-install.ts";

/**
 * The commands of the default build, for any POSIX shell, each run by itself in one session. The source's root is
 * CODEBUILD_SRC_DIR; SHIPLOG_APP is the app's folder below it, where the app is a part of a workspace.
 */

/** Ends a build that an app's own buildspec.yml was meant for. */
export const REFUSE_OWN_BUILDSPEC = `
if [ -e "$CODEBUILD_SRC_DIR/\${SHIPLOG_APP:-.}/buildspec.yml" ]; then
  echo "This app has a buildspec.yml, and Shiplog was deployed where the app's folder was not there to say so. Deploy Shiplog again beside the app, or declare how the site is built in the sites file (build)" >&2
  exit 1
fi
`.trim();

/** Programs that this build alone uses, found before others. */
const TOOLS = `"\${TMPDIR:-/tmp}/shiplog-tools"`;

/**
 * Finds the package manager by the lockfile, brings it in the version that `packageManager` names (through corepack where
 * the machine has it, else from the npm registry), and says how it installs: exactly what the lockfile says, with what
 * only builds need, whatever NODE_ENV the site's variables set.
 */
export const TAKE_MANAGER = `
cd "$CODEBUILD_SRC_DIR"
shiplog_manager=npm
[ ! -f pnpm-lock.yaml ] || shiplog_manager=pnpm
[ ! -f yarn.lock ] || shiplog_manager=yarn
[ ! -f bun.lock ] && [ ! -f bun.lockb ] || shiplog_manager=bun
shiplog_named=$(node -p 'try { (require("./package.json").packageManager || "").split("+")[0] } catch { "" }')
case "$shiplog_named" in "$shiplog_manager"@*) ;; *) shiplog_named= ;; esac
case "$shiplog_manager" in
  npm) SHIPLOG_INSTALL='${INSTALLS.npm}' shiplog_named= ;;
  pnpm)
    SHIPLOG_INSTALL='${INSTALLS.pnpm}'
    case "$(head -n 1 pnpm-lock.yaml)" in *5.*) shiplog_package=pnpm@7 ;; *6.*) shiplog_package=pnpm@8 ;; *) shiplog_package=pnpm@10 ;; esac ;;
  yarn)
    if grep -q '^__metadata:' yarn.lock; then
      SHIPLOG_INSTALL='${INSTALLS.yarn}' shiplog_package=@yarnpkg/cli-dist@4
      # OpenNext and Lambda look for packages in node_modules
      export YARN_NODE_LINKER=node-modules YARN_ENABLE_TELEMETRY=0
      rm -f .pnp.cjs .pnp.loader.mjs
    else
      SHIPLOG_INSTALL='${INSTALLS.yarnClassic}' shiplog_package=yarn@1
    fi ;;
  bun) SHIPLOG_INSTALL='${INSTALLS.bun}' shiplog_package=bun@1 ;;
esac
export SHIPLOG_INSTALL PATH=${TOOLS}/bin:"$PATH"
mkdir -p ${TOOLS}/bin
if [ "$shiplog_manager" = npm ]; then :
elif [ -n "$shiplog_named" ] && [ "$shiplog_manager" != bun ] && command -v corepack >/dev/null; then
  echo "Package manager: $shiplog_named, as packageManager says, through corepack"
  # corepack wants signatures that only npm's own registry gives; npm itself looks at none, and a hash in packageManager is held
  export COREPACK_ENABLE_DOWNLOAD_PROMPT=0 COREPACK_INTEGRITY_KEYS="\${COREPACK_INTEGRITY_KEYS-0}"
  export COREPACK_NPM_REGISTRY="\${COREPACK_NPM_REGISTRY:-$(npm config get registry | sed 's,/*$,,')}"
  corepack enable --install-directory ${TOOLS}/bin "$shiplog_manager"
else
  case "$shiplog_named" in
    "") ;;
    yarn@1.*|pnpm@*|bun@*) shiplog_package=$shiplog_named ;;
    yarn@*) shiplog_package=@yarnpkg/cli-dist@\${shiplog_named#yarn@} ;;
  esac
  echo "Package manager: $shiplog_package"
  npm install --global --prefix ${TOOLS} --no-audit --no-fund --loglevel=error "$shiplog_package"
fi
`.trim();

/** What one build keeps for the next: it is named in the buildspec's cache, below the source's root. */
export const KEPT = ".shiplog-cache";
const KEPT_HERE = `"$CODEBUILD_SRC_DIR/${KEPT}"`;
/** npm's own cache while the app is built: outside of the source, where compilers look for files. */
const FETCHED = `"\${TMPDIR:-/tmp}/shiplog-npm"`;
/** Folders of installed modules, and none that a build made. */
const MODULES = `find . \\( -name .next -o -name .open-next -o -path ./${KEPT} \\) -prune -o -name node_modules -type d -prune -print`;

/** How many symbolic links are kept: a cache that does not keep them is of no use. */
const LINKS = `find ${KEPT_HERE} -type l | wc -l`;

/** Packages whose install scripts change their own folder and look at nothing of the source. */
const SELF_CONTAINED = [
  ...["@biomejs/biome", "@parcel/watcher", "@sentry/cli", "@swc/core", "@tailwindcss/oxide", "bcrypt", "better-sqlite3", "bufferutil"],
  ...["canvas", "core-js", "core-js-pure", "cpu-features", "dtrace-provider", "es5-ext", "esbuild", "fsevents", "lightningcss"],
  ...["lmdb", "msgpackr-extract", "protobufjs", "sharp", "ssh2", "styled-components", "unrs-resolver", "utf-8-validate", "workerd"],
];

/** Reads names of files from stdin; prints a digest of them, of what is in them and of its arguments. */
const DIGEST = `
const { createHash } = require("node:crypto"), { readFileSync } = require("node:fs");
const digest = createHash("sha256").update(JSON.stringify([process.version, process.platform, process.arch, ...process.argv.slice(1)]));
for (const file of readFileSync(0, "utf8").split("\\n").filter(Boolean)) digest.update("\\0" + file + "\\0").update(readFileSync(file));
console.log(digest.digest("hex"));
`.trim();

/** Reads names of package.json files from stdin; prints whose install script may look at the source, if any's may. */
const SCRIPTED = `
const { readFileSync } = require("node:fs");
const harmless = new Set(${JSON.stringify(SELF_CONTAINED)});
const habits = /^(npx (-y )?only-allow \\w+|husky( install)?|lefthook install|simple-git-hooks)$/;
for (const file of readFileSync(0, "utf8").split("\\n").filter(Boolean)) {
  const installed = file.includes("node_modules/");
  if (installed && !/node_modules\\/(@[^/]+\\/)?[^/]+\\/package\\.json$/.test(file)) continue;
  let { name, scripts = {} } = JSON.parse(readFileSync(file, "utf8").replace(/^\\uFEFF/, "") || "{}");
  const events = ["preinstall", "install", "postinstall", ...(installed ? [] : ["prepare"])];
  if (events.some((event) => scripts[event] && !habits.test(scripts[event].trim())) && !(installed && harmless.has(name))) { console.log(name || file); break; }
}
`.trim();

/**
 * Installs what the lockfile says, or takes what a build of the same lockfile, manifests, patches, settings and Node left
 * behind. An install script that may look at the source (`prisma generate` does) has to run each time: such modules are not kept.
 */
export const INSTALL = `
cd "$CODEBUILD_SRC_DIR"
shiplog_install() {
  echo "Installing: $SHIPLOG_INSTALL" && eval "$SHIPLOG_INSTALL" || return
  shiplog_scripted=$(find . \\( -name .next -o -name .open-next \\) -prune -o -name package.json -type f -print | node -e '${SCRIPTED}' 2>&1)
  [ -z "$shiplog_scripted" ] || echo "These modules are not kept for the next build: $shiplog_scripted has an install script"
}
shiplog_take() {
  [ -f ${KEPT_HERE}/folders ] && [ "$(${LINKS})" = "$(cat ${KEPT_HERE}/links)" ] || return
  echo "Taking the modules that a build of the same lockfile has installed"
  shiplog_n=0
  while IFS= read -r shiplog_folder; do
    mkdir -p "\${shiplog_folder%/*}" && mv ${KEPT_HERE}/$shiplog_n "$shiplog_folder" || return
    shiplog_n=$((shiplog_n + 1))
  done < ${KEPT_HERE}/folders
}
shiplog_key=$(find . \\( -name node_modules -o -name .next -o -path ./${KEPT} \\) -prune -o -type f \\( -name package.json -o -name package-lock.json \\
  -o -name npm-shrinkwrap.json -o -name 'pnpm-*.yaml' -o -name '.pnpmfile.*' -o -name yarn.lock -o -name '.yarnrc*' -o -path './.yarn/*' -o -name .npmrc \\
  -o -name bun.lock -o -name bun.lockb -o -name bunfig.toml -o -path '*/patches/*' \\) -print | LC_ALL=C sort |
  node -e '${DIGEST}' "$SHIPLOG_INSTALL" "\${shiplog_named:-}" "\${shiplog_package:-}")
shiplog_scripted=
[ "$(cat ${KEPT_HERE}/key 2>/dev/null)" = "$shiplog_key" ] || rm -rf ${KEPT_HERE}
[ ! -d ${KEPT_HERE}/npm ] || mv ${KEPT_HERE}/npm ${FETCHED}
shiplog_take || { ${MODULES} | while IFS= read -r shiplog_folder; do rm -rf "$shiplog_folder"; done; shiplog_install; }
`.trim();

/** Leaves for the next build what this one has installed, and what npm has fetched for the image function. */
export const KEEP = `
cd "$CODEBUILD_SRC_DIR"
if [ -n "\${shiplog_key:-}" ]; then
  mkdir -p ${KEPT_HERE} && rm -rf ${KEPT_HERE}/folders ${KEPT_HERE}/key ${KEPT_HERE}/[0-9]*
  if [ -z "\${shiplog_scripted:-}" ]; then
    ${MODULES} > ${KEPT_HERE}/found
    shiplog_n=0
    while IFS= read -r shiplog_folder; do
      mv "$shiplog_folder" ${KEPT_HERE}/$shiplog_n && shiplog_n=$((shiplog_n + 1))
    done < ${KEPT_HERE}/found
    mv ${KEPT_HERE}/found ${KEPT_HERE}/folders && ${LINKS} > ${KEPT_HERE}/links
  fi
  [ ! -d ${FETCHED} ] || mv ${FETCHED} ${KEPT_HERE}/npm
  echo "$shiplog_key" > ${KEPT_HERE}/key
fi
`.trim();

/**
 * Goes to the app, where programs of it and of its workspace are found, and takes what Next.js kept of an earlier build there.
 * What OpenNext installs for the image function is fetched once.
 */
export const ENTER_APP = `
cd "$CODEBUILD_SRC_DIR/\${SHIPLOG_APP:-.}" && export PATH="$PWD/node_modules/.bin:$CODEBUILD_SRC_DIR/node_modules/.bin:$PATH"
[ -z "\${shiplog_key:-}" ] || [ -n "\${npm_config_cache:-}" ] || export npm_config_cache=${FETCHED} npm_config_prefer_offline=true
if [ -n "\${SHIPLOG_APP:-}" ] && [ -d "$CODEBUILD_SRC_DIR/.next/cache" ] && [ ! -e .next ]; then
  mkdir .next && mv "$CODEBUILD_SRC_DIR/.next/cache" .next/cache
fi
`.trim();

/** The OpenNext of the app or of its workspace, wherever the package manager put it; needs no configuration file. */
export const OPEN_NEXT = "open-next build";

/**
 * OpenNext installs sharp for arm64, or as the app's open-next.config says, and goes on where that fails. What the image
 * function of this site needs and does not have is installed here, in the version that is there.
 */
export const sharpFor = (architecture: Site["architecture"]): string => {
  const cpu = architecture === "arm64" ? "arm64" : "x64";
  return `
shiplog_image="$PWD/.open-next/image-optimization-function/node_modules"
if [ -d .open-next/image-optimization-function ] && [ ! -d "$shiplog_image/@img/sharp-linux-${cpu}" ]; then
  shiplog_sharp=$(node -p 'try { require("./.open-next/image-optimization-function/node_modules/sharp/package.json").version } catch { process.env.SHARP_VERSION || "0.35.5" }')
  echo "Installing sharp $shiplog_sharp for linux-${cpu}, which the image function runs on"
  shiplog_folder=$(mktemp -d) && echo '{ "private": true }' > "$shiplog_folder/package.json" &&
    (cd "$shiplog_folder" && npm install --os=linux --cpu=${cpu} --libc=glibc --include=optional --no-audit --no-fund --loglevel=error "sharp@$shiplog_sharp") &&
    rm -rf "$shiplog_image"/@img/sharp-* "$shiplog_folder/node_modules/.bin" && mkdir -p "$shiplog_image" &&
    cp -R "$shiplog_folder/node_modules/." "$shiplog_image/" && rm -rf "$shiplog_folder"
fi
`.trim();
};

/** Public files that are symbolic links become what they lead to: OpenNext on Node 22.19 and newer leaves them links into this build's folder. */
export const PLAIN_FILES = `
[ ! -d .open-next/assets ] || find .open-next/assets -type l -exec sh -c 'for link; do
  if [ -e "$link" ]; then cp -RL "$link" "$link.plain" && rm "$link" && mv "$link.plain" "$link"
  else echo "Left out: \${link#.open-next/assets/} is a symbolic link to nothing" && rm "$link"; fi || exit 1
done' links {} +
`.trim();

/** Artifacts and caches are taken from the source's root. */
export const COLLECT = `
if [ -n "\${SHIPLOG_APP:-}" ]; then
  rm -rf "$CODEBUILD_SRC_DIR/.open-next" && mv .open-next "$CODEBUILD_SRC_DIR/.open-next"
  if [ -d .next/cache ]; then mkdir -p "$CODEBUILD_SRC_DIR/.next" && mv .next/cache "$CODEBUILD_SRC_DIR/.next/cache"; fi
fi
`.trim();
