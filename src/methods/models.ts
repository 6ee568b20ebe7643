import * as v from "valibot";
import { credentialSource, modelsOf, type Model } from "../agent/models.ts";
import { agentsOf } from "../agent/roster.ts";
import type { App } from "../app.ts";
import { join } from "../host/paths.ts";
import { isObject, parseJson } from "../kit/json.ts";
import { method } from "./method.ts";

const text = v.pipe(v.string(), v.nonEmpty());

export const modelMethods = [
  method({
    name: "models.list",
    scope: "operator.read",
    summary: "The models that are configured or that an agent is told to ask.",
    params: v.object({
      view: v.pipe(
        v.optional(v.picklist(["default", "configured", "provider-config", "all"])),
        v.description("Accepted: every view has the same models."),
      ),
      agentId: v.optional(text),
      sessionKey: v.optional(text),
    }),
    result: v.object({
      models: v.array(
        v.object({
          id: v.string(),
          name: v.string(),
          provider: v.string(),
          contextWindow: v.optional(v.number()),
          reasoning: v.optional(v.boolean()),
          input: v.optional(v.array(v.picklist(["text", "image", "audio", "video", "document"]))),
          tags: v.optional(v.array(v.string())),
          available: v.pipe(v.boolean(), v.description("A credential for its provider is known.")),
          unavailableReason: v.optional(v.literal("missing-auth")),
          manualSelectionAllowed: v.pipe(
            v.optional(v.boolean()),
            v.description("Only for clients with the capability model-selection-policy."),
          ),
        }),
      ),
    }),
    async run({ app, caller }) {
      const { models, primary, sources } = await catalogue(app);
      return {
        models: models.map(({ input, ...model }) => {
          const available = sources.get(model.provider) !== undefined;
          return {
            ...model,
            ...(input ? { input: [...input] } : {}),
            ...(`${model.provider}/${model.id}` === primary ? { tags: ["default"] } : {}),
            available,
            ...(available ? {} : { unavailableReason: "missing-auth" as const }),
            ...(caller.caps.has("model-selection-policy") ? { manualSelectionAllowed: true } : {}),
          };
        }),
      };
    },
  }),
  method({
    name: "models.authStatus",
    scope: "operator.read",
    summary: "Where the credential of each provider in use comes from, never the credential.",
    params: v.object({ agentId: v.optional(text), refresh: v.optional(v.boolean()) }),
    result: v.object({
      ts: v.number(),
      providers: v.array(
        v.object({
          provider: v.string(),
          displayName: v.string(),
          status: v.picklist(["static", "missing"]),
          profiles: v.array(v.looseObject({})),
          apiKey: v.optional(v.object({ source: v.picklist(["config", "env", "profile"]) })),
        }),
      ),
      providerCapabilities: v.array(v.looseObject({})),
    }),
    async run({ app }) {
      const { sources } = await catalogue(app);
      return {
        ts: app.clock.now(),
        providers: [...sources].map(([provider, source]) => ({
          provider,
          displayName: provider,
          status: source === undefined ? ("missing" as const) : ("static" as const),
          profiles: [],
          ...(source === undefined || source === "none" ? {} : { apiKey: { source } }),
        })),
        providerCapabilities: [],
      };
    },
  }),
] as const;

type Source = ReturnType<typeof credentialSource> | "profile";

interface Catalogue {
  readonly models: readonly Model[];
  /** The default agent's first model. */
  readonly primary: string;
  /** The providers in use and where their credentials come from. */
  readonly sources: ReadonlyMap<string, Source>;
}

async function catalogue({ config, host, paths }: App): Promise<Catalogue> {
  const { value } = config.current();
  const agents = agentsOf(value);
  const references = agents.flatMap(({ model }) => [model.primary, ...model.fallbacks]);
  const models = modelsOf(value, [...references, ...Object.keys(value.agents.defaults.models ?? {})]);
  const profiles = await profileProviders(host, paths.state);
  const providers = new Set(models.map(({ provider }) => provider));
  const sourceOf = (provider: string): Source =>
    credentialSource(value, provider, host.env) ?? (profiles.has(provider) ? "profile" : undefined);
  return {
    models,
    primary: agents[0].model.primary,
    sources: new Map([...providers].map((provider) => [provider, sourceOf(provider)])),
  };
}

/** The providers that have a profile (cli.md 2.10); what the file holds beside their names is not looked at. */
async function profileProviders({ files }: App["host"], state: string): Promise<ReadonlySet<string>> {
  const document = parseJson((await files.read(join(state, "agents", "main", "agent", "auth-profiles.json"))) ?? "");
  const profiles = isObject(document) && isObject(document["profiles"]) ? Object.values(document["profiles"]) : [];
  return new Set(
    profiles
      .map((profile) => (isObject(profile) ? profile["provider"] : undefined))
      .filter((id) => typeof id === "string"),
  );
}
