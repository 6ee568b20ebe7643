import * as v from "valibot";
import { agentsOf } from "../agent/roster.ts";
import type { App } from "../app.ts";
import { addressOf, requireAgent } from "../flow/address.ts";
import { countParam, keyParam, textParam } from "../flow/params.ts";
import { cleanUp, type CleanedUp } from "../flow/clean-up.ts";
import { indexPath } from "../flow/session-view.ts";
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
    params: () =>
      v.object({
        agent: v.optional(textParam),
        allAgents: v.optional(v.boolean(), false),
        enforce: v.pipe(v.optional(v.boolean()), v.description("Remove; else session.maintenance.mode decides.")),
        activeKey: v.pipe(v.optional(keyParam), v.description("A session that stays, whatever its age.")),
      }),
    result: () =>
      v.object({
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
      for (const { id } of agents) stores.push(shown(app, id, await cleanUp(app, id, { spared, remove })));
      return { ok: true as const, allAgents, mode, dryRun: !remove, stores };
    },
  }),
] as const;

function shown(app: App, agentId: string, { before, pruned, capped }: CleanedUp): v.InferInput<typeof store> {
  return {
    agentId,
    storePath: indexPath(app),
    beforeCount: before,
    afterCount: before - pruned - capped,
    missing: 0,
    pruned,
    capped,
    wouldMutate: pruned + capped > 0,
  };
}
