import { isObject, type JsonObject } from "../kit/json.ts";
import { textIn } from "./conversation.ts";

/** What may be chosen for a conversation, and what is; an empty value stands for the agent's own. */
export interface ModelChoice {
  readonly models: readonly { readonly value: string; readonly label: string; readonly disabled: boolean }[];
  readonly model: string;
  readonly levels: readonly { readonly value: string; readonly label: string }[];
  readonly level: string;
  /** The model that answers is the built-in one, which is none. */
  readonly isEcho: boolean;
}

/** The choices for a session's row, from an answer of `models.list`. */
export function modelChoice(models: readonly JsonObject[], row: JsonObject | undefined): ModelChoice {
  const known = models.map((model) => ({
    value: referenceOf(model),
    label: textIn(model, "name") || textIn(model, "id"),
    disabled: model["available"] === false,
    isDefault: Array.isArray(model["tags"]) && model["tags"].includes("default"),
  }));
  const override = [textIn(row ?? {}, "providerOverride"), textIn(row ?? {}, "modelOverride")]
    .filter(Boolean)
    .join("/");
  const asked = [textIn(row ?? {}, "modelProvider"), textIn(row ?? {}, "model")].filter(Boolean).join("/");
  const own = known.find(({ isDefault }) => isDefault);
  const listed = known.map(({ value, label, disabled }) => ({ value, label, disabled }));
  // One that is not on the list, as after a change of the configuration, is there all the same.
  const missing = override !== "" && !known.some(({ value }) => value === override);
  const levels: readonly unknown[] = Array.isArray(row?.["thinkingOptions"]) ? row["thinkingOptions"] : [];
  return {
    models: [
      { value: "", label: `Default${own ? ` (${own.label})` : ""}`, disabled: false },
      ...listed,
      ...(missing ? [{ value: override, label: override, disabled: false }] : []),
    ],
    model: override,
    levels:
      levels.length < 2
        ? []
        : [
            { value: "", label: `Thinking: ${textIn(row ?? {}, "thinkingDefault") || "default"}` },
            ...levels.map((each) => ({ value: String(each), label: `Thinking: ${String(each)}` })),
          ],
    level: textIn(row ?? {}, "thinkingLevel"),
    isEcho: (override || asked || own?.value) === "clawlet/echo",
  };
}

/** The models in an answer of `models.list`. */
export function modelsIn(answer: unknown): readonly JsonObject[] {
  const models: unknown = isObject(answer) ? answer["models"] : undefined;
  return Array.isArray(models) ? models.filter(isObject) : [];
}

function referenceOf(model: JsonObject): string {
  return `${textIn(model, "provider")}/${textIn(model, "id")}`;
}
