import type { App } from "../app.ts";
import type { Config } from "../config/schema.ts";
import { parseDuration } from "../kit/duration.ts";
import { Failure } from "../kit/error.ts";
import type { SessionRow } from "../session/sessions.ts";
import { mainKeyOf } from "./address.ts";

export type CleanUpSource = Pick<App, "config" | "clock" | "sessions" | "turns">;

export interface CleanedUp {
  /** Sessions that there were. */
  readonly before: number;
  /** Removed, or to be removed, for their age. */
  readonly pruned: number;
  /** The same, because there are too many. */
  readonly capped: number;
}

/**
 * Finds the sessions of an agent that are too old, or too many, by `session.maintenance`, and removes them when told to.
 * What is pinned, at work, spared, or an agent's main session stays, whatever its age.
 */
export async function cleanUp(
  app: CleanUpSource,
  agentId: string,
  { spared, remove }: { spared?: string | undefined; remove: boolean },
): Promise<CleanedUp> {
  const { rows, total } = app.sessions.list({ agentId, archived: "all", includeGlobal: true, includeUnknown: true });
  const main = mainKeyOf(app, agentId);
  const stays = (row: SessionRow): boolean =>
    row.key === main ||
    row.key === spared ||
    row.pinnedAt !== undefined ||
    app.turns.active(row.key) !== undefined ||
    app.turns.pending(row.key).length > 0;
  const { old, surplus } = tooMany(rows, stays, boundsOf(app.config.current().value, app.clock.now()));
  if (remove) {
    for (const row of [...old, ...surplus]) {
      await app.turns.exclusive(row.key, async () => {
        // Something may have been said in it while others were removed.
        if (app.sessions.get(row.key)?.updatedAt === row.updatedAt) await app.sessions.delete(row.key);
      });
    }
  }
  return { before: total, pruned: old.length, capped: surplus.length };
}

interface Bounds {
  /** What was last changed before this is old. */
  readonly oldest: number;
  readonly maxEntries: number;
}

function boundsOf({ session: { maintenance } }: Config, now: number): Bounds {
  const age = parseDuration(maintenance.pruneAfter);
  if (age !== undefined) return { oldest: now - age, maxEntries: maintenance.maxEntries ?? Infinity };
  throw new Failure(
    "config",
    `session.maintenance.pruneAfter is ${JSON.stringify(maintenance.pruneAfter)}: write an age such as 30d or 12h`,
  );
}

/** Of rows that come newest first: those that are too old, and those above the number that is kept. */
function tooMany(rows: readonly SessionRow[], stays: (row: SessionRow) => boolean, { oldest, maxEntries }: Bounds) {
  const old: SessionRow[] = [];
  const surplus: SessionRow[] = [];
  let kept = 0;
  for (const row of rows) {
    if (!stays(row) && row.updatedAt < oldest) old.push(row);
    else if (++kept > maxEntries && !stays(row)) surplus.push(row);
  }
  return { old, surplus };
}
