import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import type { Api, ModelSpec, Provider } from "../providers/provider.ts";
import type { Credentials, ProviderStatus, Route } from "./accounts.ts";
import { type Candidate, routeOf } from "./candidates.ts";
import type { Catalogue } from "./catalogue.ts";
import type { KeptProfile, Keyring } from "./keyring.ts";
import { probeRoute } from "./probe-provider.ts";
import type { ProviderEntry } from "./provider-entries.ts";

export interface TendingOptions {
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly providers: Readonly<Record<Api, Provider>>;
  readonly fetch: typeof fetch;
  readonly catalogue: () => Catalogue;
  readonly candidates: (entry: ProviderEntry, profiles: readonly KeptProfile[]) => readonly Candidate[];
  /** A credential worked. */
  readonly worked: (route: Route) => Promise<void>;
}

/** What people may know of credentials and do with them. */
export function tendCredentials({ keyring, catalogue, candidates, worked, ...asking }: TendingOptions): Credentials {
  return {
    async providers(agentId) {
      const profiles = await keyring.read(agentId);
      return [...catalogue().providers.values()].map((entry): ProviderStatus => {
        const { id: provider, label, local, variables } = entry;
        const credentials = candidates(entry, profiles).map(({ status }) => status);
        return { provider, label, local, variables, credentials };
      });
    },
    async probe({ agentId, provider, profileId, timeoutMs }, signal) {
      const entry = catalogue().providers.get(provider);
      if (!entry) throw new Failure("not-found", noProvider(provider, catalogue()));
      const model = modelToProbe(entry, catalogue());
      if (!model)
        throw new Failure(
          "invalid-request",
          `no model of ${provider} is known: write one into models.providers.${provider}.models`,
        );
      const all = candidates(entry, await keyring.read(agentId));
      const chosen = all.filter(({ status }) => profileId === undefined || status.profileId === profileId);
      if (profileId !== undefined && chosen.length === 0)
        throw notThere(
          provider,
          profileId,
          all.map(({ status }) => status.profileId),
        );
      return Promise.all(
        chosen.slice(0, MOST_PROBES).map(async (candidate) => {
          const route = routeOf(model, entry, candidate);
          const options = { ...asking, provider: asking.providers[model.api], timeoutMs, signal };
          const result = await probeRoute(route, options);
          if (result.outcome === "ok") await worked(route);
          return result;
        }),
      );
    },
    async remove({ agentId, provider, profileIds }) {
      const stored = (await keyring.read(agentId)).filter((profile) => profile.provider === provider);
      const ids = stored.map(({ id }) => id);
      const stranger = profileIds?.find((id) => !ids.includes(id));
      if (stranger !== undefined) throw notThere(provider, stranger, ids);
      return keyring.remove(agentId, new Set(profileIds ?? ids));
    },
  };
}

const MOST_PROBES = 10;

/** The model that the configuration describes or refers to, else the one that the provider is usually begun with. */
function modelToProbe({ id, own, facts }: ProviderEntry, { models, find }: Catalogue): ModelSpec | undefined {
  const begin = own?.models[0]?.id ?? facts?.begin;
  return begin === undefined ? models.find(({ provider }) => provider === id) : find(`${id}/${begin}`);
}

function noProvider(name: string, { providers, wrong }: Catalogue): string {
  const shown = JSON.stringify(name.slice(0, 100));
  return wrong.get(name) ?? `there is no provider ${shown}: known are ${[...providers.keys()].join(", ")}`;
}

function notThere(provider: string, profileId: string, known: readonly string[]): Failure {
  const shown = JSON.stringify(profileId.slice(0, 100));
  return new Failure("not-found", `${provider} has no credential ${shown}: known are ${known.join(", ") || "none"}`);
}
