import { referenceOf } from "../../model/model-specs.ts";
import type { ModelSpec } from "../../providers/provider.ts";
import { quoted, splitFirst } from "./arguments.ts";
import { closest } from "./closest.ts";
import { choices } from "./model-choice.ts";
import type { SlashContext } from "./slash.ts";

/** `/models`: the providers with how many models they have; with a provider, its models by the numbers for `/model`. */
export function modelList(args: string, context: SlashContext): string {
  const all = choices(context);
  const [provider, rest] = splitFirst(args.toLowerCase());
  if (provider === "") return providers(all);
  const numbered = all.map((model, at) => ({ model, number: at + 1 }));
  const own = numbered.filter(({ model }) => model.provider.toLowerCase() === provider);
  if (own.length === 0) {
    const close = closest(provider, [...countsOf(all).keys()]);
    const hint = close.length === 0 ? "/models lists them." : `Close to it: ${close.join(", ")}.`;
    return `Unrecognized provider ${quoted(provider)}. ${hint}`;
  }
  const pages = Math.ceil(own.length / PAGE);
  const page = rest === "" ? 1 : Number(rest);
  if (!Number.isInteger(page) || page < 1 || page > pages)
    return `Unrecognized page ${quoted(rest)}. Valid pages: 1 to ${pages}.`;
  const shown = own.slice((page - 1) * PAGE, page * PAGE);
  return [
    `Models (${provider}), ${own.length} in all${pages === 1 ? "" : `, page ${page} of ${pages}`}:`,
    ...shown.map(({ model, number }) => `${number}. ${referenceOf(model)}`),
    "",
    "Switch: /model <number> or /model <provider/model>",
    ...(page < pages ? [`More: /models ${provider} ${page + 1}`] : []),
  ].join("\n");
}

const PAGE = 40;

function providers(all: readonly ModelSpec[]): string {
  return [
    "Providers:",
    ...[...countsOf(all)].map(([provider, count]) => `- ${provider} (${count})`),
    "",
    "Browse: /models <provider>",
    "Switch: /model <provider/model>",
  ].join("\n");
}

function countsOf(models: readonly ModelSpec[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { provider } of models) counts.set(provider, (counts.get(provider) ?? 0) + 1);
  return counts;
}
