import type { Host } from "../host/host.ts";
import { dirname, join } from "../host/paths.ts";
import { zoneText, type ZoneFacts } from "./zone.ts";

/** Where the zone of a domain is kept in a state folder. */
export function zonePath(state: string, domain: string): string {
  return join(state, "dns", `${domain.replace(/\.$/, "")}.db`);
}

/** Writes the zone unless the file says the same already. A DNS server reads it while we do: it is replaced as a whole. */
export async function writeZone(
  { files, clock }: Pick<Host, "files" | "clock">,
  path: string,
  facts: ZoneFacts,
): Promise<"updated" | "unchanged"> {
  const text = zoneText(facts, { previous: await files.read(path), now: clock.now() });
  if (text === undefined) return "unchanged";
  await files.makeFolder(dirname(path));
  await files.write(path, text, { mode: 0o644 });
  return "updated";
}
