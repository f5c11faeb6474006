/** The architecture that the image function runs on; without `IMAGE_ARCH`, the one of the machine that builds. */
const arch = (process.env.IMAGE_ARCH || process.arch) as "x64" | "arm64";

export default {
  default: {},
  imageOptimization: {
    install: {
      packages: ["sharp@0.35.5"],
      arch,
      os: "linux",
      libc: "glibc",
      // npm 11 ignores `--arch`; `--cpu` is what selects sharp's binary.
      additionalArgs: `--cpu=${arch} --prefer-offline --no-audit --no-fund`,
    },
  },
};
