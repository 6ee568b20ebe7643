import type { Files } from "../host/host.ts";
import { join } from "../host/paths.ts";
import { isObject, parseJson } from "../kit/json.ts";
import type { PublishMode } from "../tailscale/publication.ts";

/** What this profile's gateway published through Tailscale, which outlives the gateway, in `<state>/tailscale.json`. */
export interface PublicationMark {
  readonly mode: PublishMode;
  readonly port: number;
  /** It was to be withdrawn when the gateway ends. */
  readonly resetOnExit: boolean;
}

/** The mark of a state folder; undefined when there is none or it makes no sense. */
export async function readMark(files: Files, state: string): Promise<PublicationMark | undefined> {
  const value = parseJson((await files.read(path(state))) ?? "");
  if (!isObject(value)) return undefined;
  const { mode, port, resetOnExit } = value;
  if ((mode !== "serve" && mode !== "funnel") || typeof port !== "number") return undefined;
  return { mode, port, resetOnExit: resetOnExit === true };
}

export async function writeMark(files: Files, state: string, mark: PublicationMark): Promise<void> {
  await files.write(path(state), `${JSON.stringify(mark)}\n`);
}

export async function removeMark(files: Files, state: string): Promise<void> {
  await files.remove(path(state));
}

function path(state: string): string {
  return join(state, "tailscale.json");
}
