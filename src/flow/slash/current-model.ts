import { planOf } from "../../model/model-plan.ts";
import { referenceOf } from "../../model/model-specs.ts";
import { agentsOf } from "../../agent/roster.ts";
import { thinkingFor } from "../../agent/thinking.ts";
import type { ModelSpec } from "../../providers/provider.ts";
import type { SessionRow } from "../../session/sessions.ts";
import type { SlashCall, SlashContext } from "./slash.ts";

/** The model that a session asks now. */
export interface CurrentModel {
  /** `provider/id`. */
  readonly reference: string;
  /** Undefined when nothing is known of it. */
  readonly model: ModelSpec | undefined;
  /** The credential that is tried first; undefined when there is none. */
  readonly profileId: string | undefined;
}

export async function currentModel({ row, context }: Pick<SlashCall, "row" | "context">): Promise<CurrentModel> {
  const { accounts } = context;
  const [route] = await accounts.routes({ agentId: row.agentId, row });
  if (route) return { reference: referenceOf(route.model), model: route.model, profileId: route.profileId };
  const own = await ownModel(row, context);
  const chosen = row.modelOverride === undefined ? undefined : [row.providerOverride, row.modelOverride].join("/");
  const reference = chosen ?? own;
  return { reference, model: accounts.find(reference), profileId: undefined };
}

/** The model that the session asks unless another is chosen for it, as `provider/id`. */
export async function ownModel({ agentId }: Pick<SessionRow, "agentId">, context: SlashContext): Promise<string> {
  const { accounts } = context;
  const config = context.config.current().value;
  const written = planOf(config, agentId).primary;
  // Where nobody chose, the first model that can be asked is it.
  const [route] = written === undefined ? await accounts.routes({ agentId }) : [];
  const model = written === undefined ? route?.model : accounts.find(written);
  if (model) return referenceOf(model);
  const agents = agentsOf(config);
  return (agents.find(({ id }) => id === agentId) ?? agents[0]).model.primary;
}

/** How hard the model is told to think. */
export function currentThinking(
  row: SessionRow,
  { context, model }: { context: SlashContext; model: ModelSpec | undefined },
): string {
  const wanted = row.thinkingLevel ?? context.config.current().value.agents.defaults.thinkingDefault;
  return model ? thinkingFor(context.accounts, model, wanted) : (wanted ?? "off");
}

/** Tokens that the model reads at most here; undefined when the model is not known. */
export function windowOf(model: ModelSpec | undefined, { config }: SlashContext): number | undefined {
  const { contextTokens } = config.current().value.agents.defaults;
  return model ? Math.min(model.contextWindow, contextTokens ?? model.contextWindow) : contextTokens;
}
