import * as v from "valibot";
import { accountSelection, accountSelectionResult } from "../flow/account-selection.ts";
import { agentParam, keyParam } from "../flow/params.ts";
import { method, type Call, type Method } from "./method.ts";

const rows = v.array(v.looseObject({}));

/**
 * `chat.metadata`: what a chat window offers to choose from. It answers what `models.list` and `commands.list` answer,
 * in one, and is therefore given these two.
 */
export function chatMetadataMethods(lists: readonly Method[]) {
  return [
    method({
      name: "chat.metadata",
      scope: "operator.read",
      summary: "The models and commands that a chat window offers.",
      params: () => v.object({ agentId: agentParam, sessionKey: v.optional(keyParam) }),
      result: () =>
        v.object({
          models: rows,
          commands: rows,
          swarmEnabled: v.boolean(),
          accountSelection: accountSelectionResult,
          runtimeSelectionLocked: v.boolean(),
        }),
      async run(call) {
        const { models } = v.parse(v.object({ models: rows }), await ask(lists, "models.list", call));
        const { commands } = v.parse(v.object({ commands: rows }), await ask(lists, "commands.list", call));
        return {
          models,
          commands,
          swarmEnabled: false,
          accountSelection,
          runtimeSelectionLocked: false,
        };
      },
    }),
  ] as const;
}

function ask(lists: readonly Method[], name: string, call: Call<{ agentId?: string | undefined }>): unknown {
  const found = lists.find((each) => each.name === name);
  if (!found) throw new Error(`chat.metadata was not given ${name}`);
  const { agentId } = call.params;
  return found.run({ ...call, params: v.parse(found.params, agentId === undefined ? {} : { agentId }) });
}
