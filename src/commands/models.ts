import { chosenModels } from "../cli/config-door.ts";
import { count } from "../cli/format.ts";
import { short } from "../kit/amounts.ts";
import { clean, columns } from "../cli/layout.ts";
import { clientOptions } from "../cli/options.ts";
import { at, listAt, numberAt, stringAt, textAt, wordsAt } from "../cli/pick.ts";
import { ask, withGateway } from "../cli/reach.ts";
import { adviceFor, credentialAdvice } from "../cli/run-advice.ts";
import { exit } from "../kit/error.ts";
import { isObject } from "../kit/json.ts";
import { command, type CommandContext } from "./command.ts";
import { probeOf, probeRows } from "./models-probe.ts";

const scopes = ["operator.read"];

/** Lists models, and whether they can be asked now. */
export const modelsList = command({
  path: ["models", "list"],
  summary: "List models, and whether they can be asked now.",
  options: {
    all: { description: "Also those for which there is no credential." },
    provider: { value: "<id>", description: "Only this provider's." },
    agent: { value: "<id>", description: "Whose credentials count; the default agent's when left out." },
    plain: { description: "Only their names, one a line." },
    ...clientOptions,
  },
  examples: [
    { command: "models", description: "Those that can be used here." },
    { command: "models list --all --provider openai", description: "Everything that is known of one provider." },
  ],
  async run(context) {
    const { output, options: given, program } = context;
    const params = { view: given.all ? ("all" as const) : ("default" as const), agentId: given.agent };
    const answer = await ask(context, "models.list", params, { scopes });
    const models = listAt(answer, "models").filter(
      (model) => given.provider === undefined || stringAt(model, "provider") === given.provider,
    );
    if (output.json) {
      output.data({
        count: models.length,
        models: models.map((model) => ({ key: nameOf(model), ...asObject(model) })),
      });
      return exit.ok;
    }
    if (given.plain) {
      for (const model of models) output.print(nameOf(model));
      return exit.ok;
    }
    if (models.length === 0) output.print(given.provider ? `No models of ${clean(given.provider)}.` : "No models.");
    else output.print(columns([["Model", "Name", "Input", "Context", "State", "Tags"], ...models.map(cellsOf)]));
    for (const line of missing(models, program)) output.warn(line);
    return exit.ok;
  },
});

/** Tells which models are chosen and how their credentials fare. */
export const modelsStatus = command({
  path: ["models", "status"],
  summary: "Show which models are chosen, and how the credentials of their providers fare.",
  options: {
    agent: { value: "<id>", description: "Which agent; the default one when left out." },
    probe: { description: "Also ask each provider, with a tiny request for each credential." },
    ...clientOptions,
  },
  examples: [
    { command: "models status", description: "Without asking any provider." },
    { command: "models status --probe", description: "Status 1 when one of them does not answer." },
  ],
  run: (context) =>
    withGateway(context, context.options.probe ? [...scopes, "operator.admin"] : scopes, async (client) => {
      const { output, options: given } = context;
      const agentId = given.agent;
      const [config, list, auth] = await Promise.all([
        client.call("config.get", {}),
        client.call("models.list", { view: "configured", agentId }),
        client.call("models.authStatus", { agentId }),
      ]);
      const providers = listAt(auth, "providers");
      const probes = new Map<string, unknown>();
      for (const provider of given.probe ? providers.flatMap((each) => stringAt(each, "provider") ?? []) : [])
        if (provider !== builtIn)
          probes.set(
            provider,
            await output.progress(`Asking ${clean(provider)}`, probeOf(client, { provider, agentId })),
          );
      const choice = choiceOf(config, list);
      if (output.json)
        output.data({ ...choice, auth: { providers, ...(given.probe ? { probes: [...probes.values()] } : {}) } });
      else print(context, choice, { providers, probes });
      return [...probes.values()].some((probe) => at(probe, "status") !== "ok") ? exit.failed : exit.ok;
    }),
});

/** The provider of the model that answers while none is set up. */
const builtIn = "clawlet";

type Context = Pick<CommandContext, "output" | "program">;

interface Choice {
  readonly configPath: string;
  readonly defaultModel: string | null;
  /** What is asked first, whether anybody chose it or not. */
  readonly resolvedDefault: string | null;
  readonly fallbacks: readonly string[];
  readonly imageModel: string | null;
  readonly imageFallbacks: readonly string[];
  readonly aliases: Readonly<Record<string, string>>;
  /** Empty when every model may be chosen. */
  readonly allowed: readonly string[];
}

function choiceOf(answer: unknown, list: unknown): Choice {
  const config = at(answer, "config");
  const [model, images] = [chosenModels(config, "model"), chosenModels(config, "imageModel")];
  const settings = Object.entries(asObject(at(config, "agents", "defaults", "models")));
  const first = listAt(list, "models").find((each) => listAt(each, "tags").includes("default"));
  return {
    configPath: stringAt(answer, "path") ?? "",
    defaultModel: model.primary ?? null,
    resolvedDefault: first === undefined ? null : nameOf(first),
    fallbacks: model.fallbacks,
    imageModel: images.primary ?? null,
    imageFallbacks: images.fallbacks,
    aliases: Object.fromEntries(
      settings.flatMap(([reference, each]) => {
        const alias = stringAt(each, "alias");
        return alias === undefined ? [] : [[alias, reference]];
      }),
    ),
    allowed: settings.map(([reference]) => reference),
  };
}

interface Auth {
  readonly providers: readonly unknown[];
  readonly probes: ReadonlyMap<string, unknown>;
}

function print({ output, program }: Context, choice: Choice, { providers, probes }: Auth): void {
  const { defaultModel, resolvedDefault, fallbacks, imageModel, imageFallbacks, aliases, allowed } = choice;
  const chosen = defaultModel ?? `none chosen; ${resolvedDefault ?? "none"} is asked`;
  const rows = [
    ["Config", choice.configPath],
    ["Default", chosen],
    ["Fallbacks", fallbacks.join(", ") || "-"],
    ["For pictures", [...(imageModel === null ? [] : [imageModel]), ...imageFallbacks].join(", ") || "-"],
    [
      "Aliases",
      Object.entries(aliases)
        .map(([alias, model]) => `${alias} → ${model}`)
        .join(", ") || "-",
    ],
    ["Allowed", allowed.join(", ") || "all"],
  ];
  output.print(columns(rows.map((row) => row.map(clean))));
  output.print();
  output.print(columns([["Provider", "State", "Credentials"], ...providers.map(authCells)]));
  if (probes.size > 0) output.print(`\n${columns(probeRows([...probes.values()]))}`);
  if (resolvedDefault?.startsWith(`${builtIn}/`)) output.warn(noModel(program));
  for (const each of providers) {
    if (!["missing", "expired"].includes(textAt(each, "status") ?? "")) continue;
    const provider = textAt(each, "provider");
    output.warn(`${provider} has no usable credential: ${credentialAdvice(program, provider)}.`);
  }
  for (const probe of probes.values()) {
    const [kind, provider] = [textAt(probe, "status"), textAt(probe, "provider")];
    for (const line of adviceFor({ program, kind, provider })) output.warn(line);
  }
}

function authCells(provider: unknown): readonly string[] {
  const source = textAt(provider, "apiKey", "envVar") ?? (at(provider, "apiKey") ? "configuration" : undefined);
  const profiles = listAt(provider, "profiles").map((profile) => {
    const state = textAt(profile, "status");
    return `${textAt(profile, "profileId")} (${[textAt(profile, "type"), state].filter(Boolean).join(", ")})`;
  });
  const credentials = [...(source === undefined ? [] : [source]), ...profiles].join(", ");
  const ending = textAt(provider, "expiry", "label");
  const state = [stateWords[textAt(provider, "status") ?? ""] ?? textAt(provider, "status"), ending].filter(Boolean);
  return [textAt(provider, "displayName") ?? textAt(provider, "provider") ?? "-", state.join(", "), credentials || "-"];
}

/** For people; the protocol's `static` is a key that does not expire. */
const stateWords: Readonly<Record<string, string>> = { static: "ok" };

function cellsOf(model: unknown): readonly string[] {
  const window = numberAt(model, "contextWindow");
  const state = at(model, "available") === true ? "ok" : (textAt(model, "unavailableReason") ?? "not available");
  const alias = textAt(model, "alias");
  const tags = [wordsAt(model, "tags"), ...(alias === undefined ? [] : [`alias:${alias}`])];
  return [
    clean(nameOf(model)),
    textAt(model, "name") ?? "-",
    wordsAt(model, "input").replaceAll(", ", "+"),
    window === undefined ? "-" : short(window),
    state,
    tags.filter((tag) => tag !== "-").join(" "),
  ];
}

/** What to do where models cannot be asked, or none is set up. */
function missing(models: readonly unknown[], program: string): readonly string[] {
  const lacking = new Map<string, number>();
  for (const model of models) {
    const provider = textAt(model, "provider") ?? "";
    if (textAt(model, "unavailableReason") === "missing-auth") lacking.set(provider, (lacking.get(provider) ?? 0) + 1);
  }
  const isBuiltIn = models.some((model) => stringAt(model, "provider") === builtIn && at(model, "available") === true);
  const hints = [...lacking].map(
    ([provider, number]) =>
      `${provider}: ${count(number, "model")} without a key: ${credentialAdvice(program, provider)}.`,
  );
  const shown = hints.slice(0, 3);
  return [
    ...(isBuiltIn && models.length === 1 ? [noModel(program)] : []),
    ...shown,
    ...(hints.length > shown.length ? [`… and ${count(hints.length - shown.length, "more provider")}.`] : []),
  ];
}

function noModel(program: string): string {
  return `No model is set up: the built-in one only repeats what you say. For a real one: ${credentialAdvice(program)}.`;
}

function nameOf(model: unknown): string {
  return `${stringAt(model, "provider") ?? "?"}/${stringAt(model, "id") ?? "?"}`;
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}
