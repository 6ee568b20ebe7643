import * as v from "valibot";
import { agentsOf } from "../agent/roster.ts";
import type { App } from "../app.ts";
import type { Config } from "../config/schema.ts";
import { addressOf, mainKeyOf, requireAgent } from "../flow/address.ts";
import { countParam, keyParam, textParam } from "../flow/params.ts";
import { indexPath } from "../flow/session-view.ts";
import { parseDuration } from "../kit/duration.ts";
import { Failure } from "../kit/error.ts";
import type { SessionRow } from "../session/sessions.ts";
import { method } from "./method.ts";

const store = v.object({
  agentId: v.string(),
  storePath: v.string(),
  beforeCount: countParam,
  afterCount: countParam,
  missing: v.pipe(countParam, v.description("Entries without a transcript: there can be none here.")),
  pruned: v.pipe(countParam, v.description("Removed for their age.")),
  capped: v.pipe(countParam, v.description("Removed because there are too many.")),
  wouldMutate: v.boolean(),
});

export const sessionCleanupMethods = [
  method({
    name: "sessions.cleanup",
    scope: "operator.admin",
    summary: "Says which sessions are too old or too many by session.maintenance, and removes them when told to.",
    params: v.object({
      agent: v.optional(textParam),
      allAgents: v.optional(v.boolean(), false),
      enforce: v.pipe(v.optional(v.boolean()), v.description("Remove; else session.maintenance.mode decides.")),
      activeKey: v.pipe(v.optional(keyParam), v.description("A session that stays, whatever its age.")),
    }),
    result: v.object({
      ok: v.literal(true),
      allAgents: v.boolean(),
      mode: v.picklist(["warn", "enforce"]),
      dryRun: v.boolean(),
      stores: v.array(store),
    }),
    async run({ app, params: { agent, allAgents, enforce, activeKey } }) {
      const { value } = app.config.current();
      const { mode } = value.session.maintenance;
      const agents = allAgents ? agentsOf(value) : [agent ? requireAgent(app, agent) : agentsOf(value)[0]];
      const spared = activeKey === undefined ? undefined : addressOf(app, activeKey).key;
      const remove = enforce ?? mode === "enforce";
      const stores: v.InferInput<typeof store>[] = [];
      for (const { id } of agents) stores.push(await cleanUp(app, id, { spared, remove }));
      return { ok: true as const, allAgents, mode, dryRun: !remove, stores };
    },
  }),
] as const;

async function cleanUp(
  app: App,
  agentId: string,
  { spared, remove }: { spared: string | undefined; remove: boolean },
): Promise<v.InferInput<typeof store>> {
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
  const gone = old.length + surplus.length;
  return {
    agentId,
    storePath: indexPath(app),
    beforeCount: total,
    afterCount: total - gone,
    missing: 0,
    pruned: old.length,
    capped: surplus.length,
    wouldMutate: gone > 0,
  };
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
