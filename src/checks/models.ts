import { agentsOf } from "../agent/roster.ts";
import { join, tildify } from "../host/paths.ts";
import { createLogger } from "../kit/log.ts";
import { profilesKey, readProfiles } from "../model/auth-profiles.ts";
import { availabilityOf } from "../model/auth-status.ts";
import { candidatesOf } from "../model/candidates.ts";
import { catalogueOf } from "../model/catalogue.ts";
import { createKeyring } from "../model/keyring.ts";
import { referenceOf } from "../model/model-specs.ts";
import { createFolderStore } from "../store/folder.ts";
import type { Check, CheckContext, Finding } from "./check.ts";

/** The models that agents are to ask: whether they are known, and whether there is a credential that can be used now. */
export const models: Check = {
  id: "models",
  title: "Models",
  async look(context) {
    const { snapshot } = context.config;
    if (snapshot.value.gateway.mode === "remote") return [];
    const { catalogue, findings } = providerFindings(context);
    const agents = agentsOf(snapshot.value);
    const found = await Promise.all(agents.map(({ id, model }) => agentFindings(context, { id, ...model, catalogue })));
    return [
      ...findings,
      ...(await brokenFiles(
        context,
        agents.map(({ id }) => id),
      )),
      ...distinct(found.flat()),
    ];
  },
};

function providerFindings({ config, program }: CheckContext) {
  const catalogue = catalogueOf(config.snapshot.value);
  const findings = catalogue.warnings.map((message): Finding => ({
    code: "model-provider-wrong",
    level: "warning",
    message: `${message}.`.replace(/\.\.$/, "."),
    path: "models.providers",
    command: `${program} config get models.providers`,
  }));
  return { catalogue, findings };
}

interface AgentModels {
  readonly id: string;
  readonly primary: string;
  readonly fallbacks: readonly string[];
  readonly catalogue: ReturnType<typeof catalogueOf>;
}

async function agentFindings(context: CheckContext, agent: AgentModels): Promise<Finding[]> {
  const { host, paths, config, program } = context;
  const log = createLogger(() => host.clock.now(), []);
  const keyring = createKeyring({ store: createFolderStore(host.files, paths.state), clock: host.clock, log });
  const profiles = await keyring.read(agent.id);
  return [agent.primary, ...agent.fallbacks].flatMap((name, place): Finding[] => {
    const level = place === 0 ? "warning" : "info";
    const model = agent.catalogue.meant(name);
    const entry = model && agent.catalogue.providers.get(model.provider);
    if (!model || !entry)
      return [
        {
          code: "model-unknown",
          level,
          message: `${name}, which agent ${agent.id} is to ask, is no model that is known here.`,
          path: "agents.defaults.model",
          command: `${program} models list --all`,
        },
      ];
    const { auth } = config.snapshot.value;
    const { statsOf } = keyring;
    const now = host.clock.now();
    const all = candidatesOf({ entry, auth, environment: config.environment, profiles, statsOf, now });
    const { available, unavailableReason, unavailableUntil } = availabilityOf({
      credentials: all.map(({ status }) => status),
    });
    if (available) return [];
    const until = unavailableUntil === undefined ? "" : ` until ${new Date(unavailableUntil).toISOString()}`;
    const [code, why] = whyNot[unavailableReason ?? "missing-auth"];
    return [
      {
        code,
        level,
        message: `${referenceOf(model)} cannot be asked: its provider ${why}${until}.`,
        path: "agents.defaults.model",
        command: unavailableReason === "cooldown" ? `${program} models status --probe` : `${program} onboard`,
      },
    ];
  });
}

const whyNot = {
  "missing-auth": ["model-credential-missing", "has no credential"],
  "auth-failed": ["model-credential-refused", "has only credentials that were refused or have expired"],
  cooldown: ["model-credential-rests", "has only credentials that rest"],
} as const;

async function brokenFiles({ host, paths }: CheckContext, agents: readonly string[]): Promise<Finding[]> {
  const found = await Promise.all(
    [...new Set(["main", ...agents])].map(async (id) => {
      const path = join(paths.state, profilesKey(id));
      return readProfiles(await host.files.read(path)) === undefined ? [path] : [];
    }),
  );
  return found.flat().map((path) => ({
    code: "auth-profiles-broken",
    level: "error",
    message: `${tildify(host, path)} is not a JSON object: its credentials are not used. Repair it, or move it away.`,
    path,
  }));
}

/** Agents share models; each trouble is told once. */
function distinct(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [finding.message, finding])).values()];
}
