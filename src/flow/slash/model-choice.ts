import { referenceOf } from "../../model/model-specs.ts";
import type { ModelSpec } from "../../providers/provider.ts";
import type { RowChanges, SessionRow } from "../../session/sessions.ts";
import { quoted } from "./arguments.ts";
import { closest } from "./closest.ts";
import { ownModel } from "./current-model.ts";
import type { SlashCall, SlashContext } from "./slash.ts";

/** A model that a person chose. */
export interface ModelChoice {
  readonly model: ModelSpec;
  /** The credential, where one was named. */
  readonly profileId: string | undefined;
  /** The person is told so. */
  readonly said: string;
}

export interface NoChoice {
  readonly problem: string;
  /** It is a model, and must not be used here. */
  readonly refused: boolean;
}

/** The model that a word means: `provider/model`, a bare id, an alias, a number of the list, each with `@credential`. */
export async function choose(
  word: string,
  { row, context }: Pick<SlashCall, "row" | "context">,
): Promise<ModelChoice | NoChoice> {
  const { accounts } = context;
  const numbered = /^\d{1,4}$/.test(word) ? choices(context)[Number(word) - 1] : undefined;
  const [name, profile] = splitProfile(word, context);
  const model = numbered ?? accounts.find(name);
  if (!model) return { problem: unknown(word, context), refused: false };
  const reference = referenceOf(model);
  if (!accounts.allowed(model)) {
    const problem = `Model ${quoted(reference)} is not allowed: agents.defaults.models does not list it.`;
    return { problem: `${problem}${alternatives(name, context)}`, refused: true };
  }
  if (profile === undefined) return { model, profileId: undefined, said: `Model set to ${reference}.` };
  const providers = (await accounts.credentials?.providers(row.agentId)) ?? [];
  const own = providers.find(({ provider }) => provider === model.provider)?.credentials ?? [];
  const profiles = own.map(({ profileId }) => profileId);
  const profileId = profiles.find((id) => id === profile || id === `${model.provider}:${profile}`);
  if (profileId !== undefined) return { model, profileId, said: `Model set to ${reference} with ${profileId}.` };
  const known = profiles.length === 0 ? "none" : profiles.join(", ");
  const problem = `Unrecognized credential ${quoted(profile)} for ${reference}. Credentials: ${known}.`;
  return { problem, refused: true };
}

/**
 * Writes a choice to the session. A level of thinking that the model does not have goes with the old model; the agent's
 * own model is not written down, so that the session follows the configuration.
 */
export async function chooseFor(row: SessionRow, choice: ModelChoice, context: SlashContext): Promise<void> {
  const { model, profileId } = choice;
  const own = profileId === undefined && referenceOf(model) === (await ownModel(row, context));
  const levels: readonly string[] = context.accounts.thinkingLevels(model);
  const changes = own
    ? ownChanges
    : {
        providerOverride: model.provider,
        modelOverride: model.id,
        modelOverrideSource: "user" as const,
        authProfileOverride: profileId,
      };
  await context.sessions.change(
    row.key,
    ({ thinkingLevel }) => ({
      ...changes,
      ...(thinkingLevel === undefined || levels.includes(thinkingLevel) ? {} : { thinkingLevel: undefined }),
    }),
    "model",
  );
}

/** Back to the agent's own model. */
export const ownChanges: RowChanges = {
  providerOverride: undefined,
  modelOverride: undefined,
  modelOverrideSource: undefined,
  authProfileOverride: undefined,
};

/** The models that may be chosen, in the order of the numbers that `/models` gives them. */
export function choices({ accounts }: SlashContext): readonly ModelSpec[] {
  return accounts.models().filter((model) => accounts.allowed(model));
}

/** A model's own name may have an `@` too: only what follows the name of a known model is a credential. */
function splitProfile(word: string, { accounts }: SlashContext): readonly [string, string | undefined] {
  const at = word.lastIndexOf("@");
  if (at <= 0) return [word, undefined];
  const name = word.slice(0, at);
  const isKnown = (reference: string): boolean => {
    const found = accounts.find(reference);
    return found !== undefined && accounts.models().some((model) => referenceOf(model) === referenceOf(found));
  };
  return isKnown(name) && !isKnown(word) ? [name, word.slice(at + 1)] : [word, undefined];
}

function unknown(word: string, context: SlashContext): string {
  return `Unrecognized model ${quoted(word)}.${alternatives(word, context)}`;
}

function alternatives(word: string, context: SlashContext): string {
  const names = [...context.accounts.aliases().keys(), ...choices(context).map(referenceOf)];
  const close = closest(word, names);
  const hint = close.length === 0 ? "" : ` Close to it: ${close.join(", ")}.`;
  return `${hint} See /models for those that can be chosen.`;
}
