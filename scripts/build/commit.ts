import { spawnSync } from "node:child_process";

/** The commit that is built, with `-dirty` when files differ from it; `CLAWLET_COMMIT` where there is no repository. */
export function commitHere(): string | undefined {
  const given = process.env["CLAWLET_COMMIT"];
  if (given) return given;
  const git = spawnSync("git", ["describe", "--always", "--dirty", "--abbrev=7", "--exclude", "*"], {
    encoding: "utf8",
  });
  return git.status === 0 ? git.stdout.trim() : undefined;
}
