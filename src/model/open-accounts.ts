import type { ConfigStore } from "../config/config.ts";
import type { Host } from "../host/host.ts";
import type { Logger } from "../kit/log.ts";
import { providers as allProviders } from "../providers/index.ts";
import type { Api, ModelSpec, Provider } from "../providers/provider.ts";
import type { Store } from "../store/store.ts";
import type { Accounts, RouteInput } from "./accounts.ts";
import { type Candidate, candidatesOf, routeOf } from "./candidates.ts";
import { type Catalogue, catalogueOf } from "./catalogue.ts";
import { afterFailure, afterSuccess, isMarked, restsAfter } from "./cooldowns.ts";
import { type Tried, whyNoRoute } from "./explain-routes.ts";
import { createKeyring, type KeptProfile } from "./keyring.ts";
import { referenceOf, thinkingFor, thinkingLevelsOf } from "./model-specs.ts";
import { type ModelContext, type ModelsToAsk, modelsToAsk } from "./models-to-ask.ts";
import type { ProviderEntry } from "./provider-entries.ts";
import { tendCredentials } from "./tend-credentials.ts";

export interface OpenAccountsOptions {
  readonly host: Pick<Host, "clock" | "env" | "name">;
  readonly config: ConfigStore;
  /** The state folder: credentials are in `agents/<id>/agent/auth-profiles.json`. */
  readonly store: Store;
  readonly log: Logger;
  /** What probes ask with. */
  readonly providers?: Readonly<Record<Api, Provider>> | undefined;
  readonly fetch?: typeof fetch | undefined;
}

/**
 * The models, what reaches them, and how their credentials fare. What is wrong in the configuration is said in the log
 * once and makes that provider unusable; a credentials file that is missing or damaged counts as empty.
 */
export async function openAccounts(options: OpenAccountsOptions): Promise<Accounts> {
  const { host, config, store, log } = options;
  const { clock } = host;
  const keyring = createKeyring({ store, clock, log });
  const environment = () => config.environment?.() ?? host.env;
  let made: { readonly of: unknown; readonly catalogue: Catalogue } | undefined;

  /** Made anew when the configuration is another one. */
  function catalogue(): Catalogue {
    const { value } = config.current();
    if (made?.of === value) return made.catalogue;
    const next = catalogueOf(value);
    const said = new Set(made?.catalogue.warnings);
    for (const warning of next.warnings.filter((each) => !said.has(each))) log.warn(warning);
    made = { of: value, catalogue: next };
    return next;
  }

  function candidates(entry: ProviderEntry, profiles: readonly KeptProfile[], pinned?: string): readonly Candidate[] {
    const { auth } = config.current().value;
    const statsOf = keyring.statsOf;
    const all = candidatesOf({ entry, auth, environment: environment(), profiles, statsOf, now: clock.now() });
    const one = all.filter(({ status }) => status.profileId === pinned);
    // What one account is to pay for is not paid for by another, even when the first is gone.
    return one.length > 0 || pinned?.startsWith(`${entry.id}:`) === true ? one : all;
  }

  /** Whether a short name that is usual may be used for a model: it can be asked, and may be. */
  function isOffered(model: ModelSpec): boolean {
    const { providers, allowed } = catalogue();
    const entry = providers.get(model.provider);
    return allowed(model) && entry !== undefined && isReachable(entry);
  }

  /** Whether there is a credential for it, as far as files were read until now. */
  function isReachable(entry: ProviderEntry): boolean {
    return keyring.providers().has(entry.id) || candidates(entry, []).length > 0;
  }

  function find(reference: string): ModelSpec | undefined {
    const found = catalogue().find(reference);
    if (found) return found;
    const usual = catalogue().usualAliases.get(reference.trim().toLowerCase());
    return usual && isOffered(usual) ? catalogue().find(referenceOf(usual)) : undefined;
  }

  function context(hasCredential: ModelContext["hasCredential"]): ModelContext {
    return { config: config.current().value, catalogue: catalogue(), program: host.name, find, hasCredential };
  }

  let primaries: { readonly of: readonly unknown[]; readonly byAgent: Map<string, ModelSpec | undefined> } | undefined;

  /** Every view of a session asks for it: looked up again when what it follows from is something else. */
  function primary(agentId: string): ModelSpec | undefined {
    const of = [config.current().value, environment(), keyring.providers()];
    if (!primaries || of.some((each, at) => each !== primaries?.of[at])) primaries = { of, byAgent: new Map() };
    const { byAgent } = primaries;
    if (!byAgent.has(agentId)) byAgent.set(agentId, modelsToAsk({ agentId }, context(isReachable)).models[0]);
    return byAgent.get(agentId);
  }

  /** The models to ask with the credentials there are for each. */
  async function lookUp(input: RouteInput): Promise<ModelsToAsk & { readonly tried: readonly Tried[] }> {
    const profiles = await keyring.read(input.agentId);
    const { providers } = catalogue();
    const asked = modelsToAsk(
      input,
      context((entry) => candidates(entry, profiles).length > 0),
    );
    const tried = asked.models.flatMap((model) => {
      const entry = providers.get(model.provider);
      const pinned = input.row?.authProfileOverride;
      return entry ? [{ model, entry, candidates: candidates(entry, profiles, pinned) }] : [];
    });
    return { ...asked, tried };
  }

  const accounts: Accounts = {
    models: () => catalogue().models,
    find,
    primary,
    allowed: (model) => catalogue().allowed(model),
    aliases() {
      const { aliases, usualAliases } = catalogue();
      const usual = [...usualAliases].filter(([, model]) => isOffered(model));
      return new Map([...usual, ...aliases].map(([alias, model]) => [alias, referenceOf(model)]));
    },
    async routes(input) {
      const all = (await lookUp(input)).tried.flatMap(({ model, entry, candidates: each }) =>
        each.map((candidate) => ({ ...candidate.status, route: routeOf(model, entry, candidate) })),
      );
      const ready = all.filter(({ state }) => state === "ready");
      if (ready.length > 0) return ready.map(({ route }) => route);
      const [soonest] = all
        .filter(({ until = Infinity }) => until - clock.now() <= PATIENCE_MS)
        .toSorted((a, b) => (a.until ?? 0) - (b.until ?? 0));
      return soonest ? [soonest.route] : [];
    },
    async explain(input) {
      const { problem, tried } = await lookUp(input);
      const pinned = input.row?.authProfileOverride;
      return problem ?? whyNoRoute(tried, { program: host.name, now: clock.now(), pinned });
    },
    async report({ profileId, endpoint }, outcome, retryAfterMs) {
      const secret = endpoint.credential?.secret;
      if (secret === undefined) return; // nothing that could be put aside
      const used = { profileId, secret };
      const now = clock.now();
      if (outcome === "ok") {
        if (isMarked(keyring.statsOf(used))) await keyring.change(used, () => afterSuccess(now));
        else await keyring.use(used);
      } else if (restsAfter(outcome)) {
        const settings = config.current().value.auth.cooldowns;
        await keyring.change(used, (stats) => afterFailure(stats, { kind: outcome, now, retryAfterMs, settings }));
      }
    },
    thinkingLevels: thinkingLevelsOf,
    defaultThinking: (model) => thinkingFor(model, config.current().value.agents.defaults.thinkingDefault),
    credentials: tendCredentials({
      keyring,
      clock,
      catalogue,
      candidates,
      providers: options.providers ?? allProviders,
      fetch: options.fetch ?? fetch,
      worked: (route) => accounts.report(route, "ok"),
    }),
  };
  catalogue();
  await keyring.read("main");
  return accounts;
}

/** A credential that opens within this time is waited for rather than called unusable. */
const PATIENCE_MS = 30_000;
