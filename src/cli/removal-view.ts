import type { Target } from "../backup/removal.ts";
import type { Thrown } from "../backup/trash.ts";
import type { Host } from "../host/host.ts";
import { tildify } from "../host/paths.ts";

/** What became of something that was thrown away. */
export function thrownLine(host: Pick<Host, "home">, { path }: Target, thrown: Thrown): string {
  const was = tildify(host, path);
  return thrown.trashed
    ? `Moved to Trash: ${was}`
    : `There is no trash for ${was}: it is kept as ${tildify(host, thrown.path)}`;
}
