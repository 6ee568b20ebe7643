import { saveApiKey } from "../model/auth-profiles.ts";
import type { FoundModel, KnownProvider } from "../model/model-choice.ts";
import { ensureSessions, ensureWorkspace } from "../agent/workspace.ts";
import type { ConfigStore } from "../config/config.ts";
import type { Flavour } from "../host/flavour.ts";
import type { Host } from "../host/host.ts";
import type { Paths } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { decideExposure, type BindMode } from "./exposure.ts";

/** What set-up was told, by flags or in a conversation. */
export type Answers = LocalAnswers | RemoteAnswers;

export interface LocalAnswers {
  readonly mode: "local";
  readonly workspace: string;
  readonly port: number;
  readonly bind: BindMode;
  readonly auth: { readonly mode: "none" } | { readonly mode: "token" | "password"; readonly secret: string };
  /** An API key to keep, and whose it is. */
  readonly key?: { readonly provider: KnownProvider; readonly key: string } | undefined;
  readonly model?: FoundModel | undefined;
}

export interface RemoteAnswers {
  readonly mode: "remote";
  readonly url: string;
  readonly token?: string | undefined;
}

/** Writes what was answered: the configuration, an API key, the workspace. Refuses what the gateway would not start with. */
export async function applyAnswers(
  host: Host,
  { config, flavour, paths }: { config: ConfigStore; flavour: Flavour; paths: Paths },
  answers: Answers,
): Promise<void> {
  const { exists, hash, value } = config.current();
  const options = { baseHash: exists ? hash : undefined, by: "onboard" };
  if (answers.mode === "remote") {
    await config.patch(remotePatch(answers), options);
    return;
  }
  const gateway = localGateway(answers);
  const decided = decideExposure({
    flags: {},
    environment: {},
    config: { ...value.gateway, ...gateway, auth: { ...value.gateway.auth, ...gateway.auth } },
    interfaces: host.net.interfaces(),
    envPrefix: flavour.envPrefixes[0] ?? "",
  });
  if ("lines" in decided) throw new Failure("config", decided.lines[0] ?? "", { hints: decided.lines.slice(1) });
  // The key first: a configuration that names a provider whose key was lost would look finished and not work.
  if (answers.key) await saveApiKey(host, paths.state, { provider: answers.key.provider.id, key: answers.key.key });
  await config.patch(
    {
      gateway,
      agents: {
        defaults: { workspace: answers.workspace, ...(answers.model && { model: { primary: answers.model.model } }) },
      },
      ...(answers.model?.providers && { models: { providers: answers.model.providers } }),
      ...(answers.key && { auth: { profiles: profileOf(answers.key.provider) } }),
      wizard: { lastRunAt: new Date(host.clock.now()).toISOString(), lastRunCommand: "onboard", lastRunMode: "local" },
    },
    options,
  );
  await ensureWorkspace(host, answers.workspace, "person");
  await ensureSessions(host, paths.state);
}

function remotePatch({ url, token }: RemoteAnswers): unknown {
  return { gateway: { mode: "remote", remote: token === undefined ? { url } : { url, token } } };
}

function localGateway({ port, bind, auth }: LocalAnswers) {
  return {
    mode: "local",
    port,
    bind,
    auth: auth.mode === "none" ? { mode: auth.mode } : { mode: auth.mode, [auth.mode]: auth.secret },
    tailscale: { mode: "off", resetOnExit: false },
  } as const;
}

function profileOf({ id }: KnownProvider): unknown {
  return { [`${id}:default`]: { provider: id, mode: "api_key" } };
}
