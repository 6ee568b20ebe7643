import * as v from "valibot";
import type { ProviderStatus } from "../model/accounts.ts";
import { authRow, availabilityOf } from "../model/auth-status.ts";
import { catalogueOf } from "../model/catalogue.ts";
import { planOf, referencesOf } from "../model/model-plan.ts";
import { referenceOf } from "../model/model-specs.ts";
import { agentsOf } from "../agent/roster.ts";
import type { App } from "../app.ts";
import { accountSelection, accountSelectionResult } from "../flow/account-selection.ts";
import { Failure } from "../kit/error.ts";
import { providerFacts } from "../providers/facts.ts";
import type { FailureKind } from "../providers/provider-failure.ts";
import type { ModelSpec } from "../providers/provider.ts";
import { method } from "./method.ts";

const text = v.pipe(v.string(), v.nonEmpty());
const level = v.object({ id: text, label: text });
const expiry = v.object({ at: v.number(), remainingMs: v.number(), label: v.string() });
const authState = v.picklist(["ok", "expiring", "expired", "missing", "static"]);
const probeStatus = v.picklist(["ok", "auth", "rate_limit", "billing", "timeout", "format", "unknown", "no_model"]);
const views = ["default", "configured", "provider-config", "all"] as const;

export const modelMethods = [
  method({
    name: "models.list",
    scope: "operator.read",
    summary: "Models, and whether they can be asked now.",
    params: () =>
      v.object({
        view: v.pipe(
          v.optional(v.picklist(views), "default"),
          v.description(
            "`provider-config`: those that the configuration describes. `configured`: also those that it refers to. " +
              "`default`: also those with a credential, within the allow list. `all`: also the rest that is known.",
          ),
        ),
        agentId: v.pipe(v.optional(text), v.description("Whose credentials count; the default agent's when absent.")),
        sessionKey: v.optional(text),
      }),
    result: () =>
      v.object({
        models: v.array(
          v.object({
            id: v.string(),
            name: v.string(),
            provider: v.string(),
            alias: v.optional(v.string()),
            tags: v.pipe(v.optional(v.array(v.string())), v.description("`default` marks what the agent asks first.")),
            contextWindow: v.number(),
            reasoning: v.boolean(),
            input: v.array(v.picklist(["text", "image"])),
            supportsTools: v.boolean(),
            thinkingLevels: v.array(level),
            thinkingDefault: v.string(),
            available: v.boolean(),
            unavailableReason: v.optional(v.picklist(["missing-auth", "auth-failed", "cooldown"])),
            unavailableUntil: v.optional(v.number()),
            manualSelectionAllowed: v.pipe(
              v.optional(v.boolean()),
              v.description("Only for clients with the capability model-selection-policy."),
            ),
          }),
        ),
        accountSelection: v.optional(accountSelectionResult),
      }),
    async run({ app, params: { view, agentId, sessionKey }, caller }) {
      const { accounts } = app;
      const agent = agentId ?? agentsOf(app.config.current().value)[0].id;
      const providers = await providersOf(app, agent);
      const aliases = new Map([...accounts.aliases()].map(([alias, reference]) => [reference, alias]));
      const shown = await modelsIn(view, app, { agentId: agent, providers });
      return {
        ...(sessionKey === undefined ? {} : { accountSelection }),
        models: shown.models.map((model) => {
          const { id, name, provider, contextWindow, reasoning, images } = model;
          const alias = aliases.get(referenceOf(model));
          return {
            id,
            name,
            provider,
            ...(alias === undefined ? {} : { alias }),
            ...(referenceOf(model) === shown.first ? { tags: ["default"] } : {}),
            contextWindow,
            reasoning,
            input: images ? [...textAndImage] : ["text" as const],
            supportsTools: true,
            thinkingLevels: accounts.thinkingLevels(model).map((each) => ({ id: each, label: each })),
            thinkingDefault: accounts.defaultThinking(model),
            ...availabilityOf(providers.get(provider) ?? { credentials: [] }),
            ...(caller.caps.has("model-selection-policy") ? { manualSelectionAllowed: accounts.allowed(model) } : {}),
          };
        }),
      };
    },
  }),
  method({
    name: "models.authStatus",
    scope: "operator.read",
    summary: "The credentials of each provider in use and how they fare, never what they are.",
    params: () => v.object({ agentId: v.optional(text), refresh: v.optional(v.boolean()) }),
    result: () =>
      v.object({
        ts: v.number(),
        providers: v.array(
          v.object({
            provider: v.string(),
            authProvider: v.string(),
            displayName: v.string(),
            status: authState,
            expiry: v.optional(expiry),
            profiles: v.array(
              v.object({
                profileId: v.string(),
                type: v.picklist(["oauth", "token", "api_key"]),
                status: authState,
                expiry: v.optional(expiry),
                logoutSupported: v.boolean(),
                lastUsedAt: v.optional(v.number()),
                cooldownUntil: v.optional(v.number()),
                disabledUntil: v.optional(v.number()),
                disabledReason: v.optional(v.picklist(["auth", "billing"])),
              }),
            ),
            apiKey: v.optional(v.object({ source: v.picklist(["config", "env"]), envVar: v.optional(v.string()) })),
          }),
        ),
        providerCapabilities: v.array(
          v.object({ provider: v.string(), apiKeySupported: v.boolean(), quickApiKeySetup: v.boolean() }),
        ),
      }),
    async run({ app, params: { agentId } }) {
      const now = app.clock.now();
      const agent = agentId ?? agentsOf(app.config.current().value)[0].id;
      const providers = await providersOf(app, agent);
      const { models } = await modelsIn("configured", app, { agentId: agent, providers });
      const named = new Set(models.map(({ provider }) => provider));
      const inUse = [...providers.values()].filter(
        ({ provider, credentials }) => named.has(provider) || credentials.some(({ source }) => source !== "none"),
      );
      return {
        ts: now,
        providers: inUse.map((status) => authRow(status, now)),
        // A key is stored by set-up or written into the configuration; there is no method that takes one.
        providerCapabilities: providerFacts
          .filter(({ credential }) => credential !== "none")
          .map(({ id }) => ({ provider: id, apiKeySupported: true, quickApiKeySetup: false })),
      };
    },
  }),
  method({
    name: "models.probe",
    scope: "operator.admin",
    summary: "Sends a provider a tiny request with each of its credentials, and says how that went.",
    params: () =>
      v.object({
        provider: text,
        profileId: v.optional(text),
        timeoutMs: v.pipe(
          v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 15_000),
          v.description("For each request; a minute at most."),
        ),
        agentId: v.optional(v.string()),
      }),
    result: () =>
      v.object({
        provider: v.string(),
        status: probeStatus,
        latencyMs: v.optional(v.number()),
        error: v.optional(v.string()),
        results: v.array(
          v.object({
            profileId: v.string(),
            label: v.string(),
            status: probeStatus,
            latencyMs: v.number(),
            error: v.optional(v.string()),
          }),
        ),
      }),
    async run({ app, params, signal }) {
      const { provider, profileId } = params;
      const target = { agentId: knownAgent(app, params.agentId), provider, profileId };
      const timeoutMs = Math.min(params.timeoutMs, LONGEST_PROBE_MS);
      const probed = await app.accounts.credentials.probe({ ...target, timeoutMs }, signal);
      const results = probed.map(({ outcome, profileId: label, latencyMs, error }) => ({
        profileId: label,
        label,
        status: probeStatuses[outcome],
        latencyMs,
        ...(error === undefined ? {} : { error }),
      }));
      const best = results.find(({ status }) => status === "ok") ?? results[0];
      if (!best) return { provider, status: "auth" as const, error: `${provider} has no credential`, results };
      const { status, latencyMs, error } = best;
      return { provider, status, latencyMs, ...(error === undefined ? {} : { error }), results };
    },
  }),
  method({
    name: "models.authLogout",
    scope: "operator.admin",
    summary: "Forgets stored credentials of a provider; keys in the configuration and the environment stay.",
    params: () =>
      v.object({
        provider: text,
        profileIds: v.optional(v.pipe(v.array(text), v.minLength(1))),
        agentId: v.optional(v.string()),
      }),
    result: () => v.object({ provider: v.string(), removedProfiles: v.array(v.string()) }),
    async run({ app, params: { provider, profileIds, agentId } }) {
      const target = { agentId: knownAgent(app, agentId), provider, ...(profileIds ? { profileIds } : {}) };
      return { provider, removedProfiles: [...(await app.accounts.credentials.remove(target))] };
    },
  }),
] as const;

const textAndImage = ["text", "image"] as const;
const LONGEST_PROBE_MS = 60_000;

/** The wire has fewer words than there are ways to fail. */
const probeStatuses = {
  ok: "ok",
  auth: "auth",
  billing: "billing",
  rate_limit: "rate_limit",
  overloaded: "rate_limit",
  timeout: "timeout",
  network: "unknown",
  context_length: "format",
  refusal: "format",
  format: "format",
  no_model: "no_model",
  unknown: "unknown",
} as const satisfies Record<"ok" | FailureKind, v.InferOutput<typeof probeStatus>>;

interface Shown {
  readonly models: readonly ModelSpec[];
  /** The reference of the model that the agent asks first. */
  readonly first: string | undefined;
}

interface ShownTo {
  readonly agentId: string;
  readonly providers: ReadonlyMap<string, ProviderStatus>;
}

async function modelsIn(view: (typeof views)[number], app: App, { agentId, providers }: ShownTo): Promise<Shown> {
  const { value } = app.config.current();
  const catalogue = catalogueOf(value);
  const { primary } = planOf(value, agentId);
  const first = primary === undefined ? (await app.accounts.routes({ agentId }))[0]?.model : catalogue.meant(primary);
  const described = [...catalogue.providers.values()].flatMap(({ id, own }) =>
    (own?.models ?? []).map((model) => `${id}/${model.id}`),
  );
  const referred = referencesOf(value).flatMap((name) => catalogue.meant(name) ?? []);
  const configured = new Set([...described, ...[...(first ? [first] : []), ...referred].map(referenceOf)]);
  const isShown = (model: ModelSpec): boolean => {
    const reference = referenceOf(model);
    if (view === "provider-config") return described.includes(reference);
    if (view === "all" || configured.has(reference)) return true;
    const isUsable = providers.get(model.provider)?.credentials.some(({ source }) => source !== "none") === true;
    return view === "default" && isUsable && app.accounts.allowed(model);
  };
  return { models: app.accounts.models().filter(isShown), first: first && referenceOf(first) };
}

async function providersOf(app: App, agentId: string): Promise<ReadonlyMap<string, ProviderStatus>> {
  const all = await app.accounts.credentials.providers(agentId);
  return new Map(all.map((status) => [status.provider, status]));
}

function knownAgent({ config }: App, agentId: string | undefined): string {
  const agents = agentsOf(config.current().value);
  const agent = agentId === undefined ? agents[0] : agents.find(({ id }) => id === agentId);
  if (agent) return agent.id;
  const known = agents.map(({ id }) => id).join(", ");
  throw new Failure("not-found", `unknown agent id ${JSON.stringify(agentId?.slice(0, 100))}: known are ${known}`);
}
