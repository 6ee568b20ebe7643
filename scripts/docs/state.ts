import { notState } from "../../src/backup/contents.ts";
import { statePlaces } from "../../src/backup/places.ts";
import { flavours } from "../../src/host/flavour.ts";
import { code, page, prose, table } from "./markdown.ts";

/** The page of files in the state folder. */
export function statePage(): string {
  const folders = Object.values(flavours).map(({ title, stateFolder }) => `${code(`~/${stateFolder}`)} for ${title}`);
  return page([
    "# The state folder",
    `Everything that the gateway keeps: ${folders.join(", ")}; \`--profile <name>\` adds \`-<name>\`, and \`*_STATE_DIR\` names another one. Folders are made with mode 0700, files with 0600. Whoever can read a file that is marked _secret_ can come in, or spend from an account.`,
    "What was acknowledged is on the disk: a document is replaced as a whole, by a new file that is flushed and takes its name; a log is added to and flushed, with a checksum in every line. A line that a crash cut in two is set aside as `<file>.torn`, one that cannot be read as `<file>.damaged`, and neither keeps the gateway from starting.",
    table(
      ["file", "holds", "in a backup"],
      statePlaces.map(({ path, holds, secret }) => [
        code(path),
        secret ? `${prose(holds)} _Secret._` : prose(holds),
        saved(path) ? "yes" : "no",
      ]),
    ),
  ]);
}

/** A folder that is left out leaves out all that is in it. */
function saved(path: string): boolean {
  const steps = path.replace(/\/$/, "").split("/");
  return steps.every((_, index) => notState(steps.slice(0, index + 1).join("/")) === undefined);
}
