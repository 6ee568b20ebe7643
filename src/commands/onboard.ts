import { findModel, knownProviders, type ProviderFlag } from "../model/model-choice.ts";
import type { ConfigStore } from "../config/config.ts";
import { applyAnswers, type Answers, type LocalAnswers } from "../gateway/first-setup.ts";
import { absolute, tildify } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { randomHex } from "../kit/ids.ts";
import { createLogger } from "../kit/log.ts";
import { command, type CommandContext } from "./command.ts";

const keyOptions = Object.fromEntries(
  knownProviders.map(({ flag, label }) => [flag, { value: "<key>", description: `Keep this ${label} API key.` }]),
) as Readonly<Record<ProviderFlag, { readonly value: string; readonly description: string }>>;

const options = {
  "non-interactive": { description: "Ask nothing: take flags and what is found. Needs --accept-risk." },
  "accept-risk": { description: "You know that an agent with tools can do harm, and who may talk to it is up to you." },
  mode: { value: "<mode>", choices: ["local", "remote"], description: "Run a gateway here, or use another one." },
  workspace: { value: "<folder>", description: "The folder the agent works in." },
  "gateway-port": {
    value: "<port>",
    number: { min: 1, max: 65535 },
    invalid: "Invalid --gateway-port {} (use a port number from 1 to 65535)",
    description: "TCP port the gateway listens on.",
  },
  "gateway-bind": {
    value: "<mode>",
    choices: ["loopback", "lan", "tailnet", "auto", "custom"],
    description: "Addresses the gateway listens on.",
  },
  "gateway-auth": {
    value: "<mode>",
    choices: ["off", "none", "token", "password"],
    description: "How clients prove who they are; off is the same as none.",
  },
  "gateway-token": { value: "<token>", description: "The gateway's token; generated when not given." },
  "gateway-password": { value: "<password>", description: "The gateway's password." },
  "remote-url": { value: "<url>", description: "With --mode remote: the gateway's WebSocket URL." },
  "remote-token": { value: "<token>", description: "With --mode remote: the token that it wants." },
  "auth-choice": {
    value: "<choice>",
    choices: [...knownProviders.map(({ choice }) => choice), "ollama", "skip"],
    description: "The model provider; by default what is found.",
  },
  ...keyOptions,
} as const;

type Context = CommandContext<typeof options>;

/** Sets up a first configuration, in a conversation or from flags. */
export const onboard = command({
  path: ["onboard"],
  summary: "Set up the gateway, the workspace and a model, with questions.",
  options,
  examples: [
    { command: "onboard", description: "Answer a few questions." },
    { command: "onboard --non-interactive --accept-risk", description: "Take what is found, ask nothing." },
  ],
  async run(context) {
    const { host, flavour, paths, options } = context;
    refuseUnattended(context);
    const { openConfig } = await import("../config/file.ts");
    const config = await openConfig(
      host,
      flavour,
      paths,
      createLogger(() => host.clock.now(), []),
    );
    const answers = options["non-interactive"]
      ? await propose(context, config, wantedMode(context, config))
      : await converse(context, config);
    await applyAnswers(host, { config, flavour, paths }, answers);
    tell(context, answers);
    return 0;
  },
});

function refuseUnattended({ host, options, program }: Context): void {
  if (options["non-interactive"] && !options["accept-risk"])
    throw new Failure("usage", "Non-interactive onboarding requires explicit risk acknowledgement.", {
      hints: [`Run: ${program} onboard --non-interactive --accept-risk`],
    });
  if (!options["non-interactive"] && !host.terminal.interactive)
    throw new Failure("usage", "onboard asks questions, and there is no terminal to ask them on.", {
      hints: [`Run: ${program} onboard --non-interactive --accept-risk`],
    });
}

async function converse(context: Context, config: ConfigStore): Promise<Answers> {
  const { askAnswers, askMode } = await import("../cli/questions.ts");
  const mode = await askMode(context.program, wantedMode(context, config));
  return askAnswers(await propose(context, config, mode));
}

function wantedMode({ options }: Context, config: ConfigStore): Answers["mode"] {
  return options.mode ?? config.current().value.gateway.mode ?? "local";
}

/** What the flags say, and for the rest what is configured, found or usual. */
async function propose(
  { host, paths, options }: Context,
  config: ConfigStore,
  mode: Answers["mode"],
): Promise<Answers> {
  const { agents, gateway } = config.current().value;
  if (mode === "remote") {
    const url = options["remote-url"] ?? gateway.remote.url;
    if (!url && options["non-interactive"]) throw new Failure("usage", "--mode remote needs --remote-url <url>");
    return { mode: "remote", url: url ?? "", token: options["remote-token"] ?? gateway.remote.token };
  }
  const key = keyFromFlags(options);
  return {
    mode: "local",
    workspace: absolute(host, options.workspace ?? agents.defaults.workspace ?? paths.workspace),
    port: options["gateway-port"] ?? gateway.port,
    bind: options["gateway-bind"] ?? gateway.bind,
    auth: authFromFlags(options, gateway.auth),
    key,
    model: await chooseModel(host, options["auth-choice"], key),
  };
}

function keyFromFlags(options: Context["options"]): LocalAnswers["key"] {
  const given = knownProviders.flatMap((provider) => {
    const key = options[provider.flag]?.trim();
    return key ? [{ provider, key }] : [];
  });
  if (given.length > 1)
    throw new Failure(
      "usage",
      `One API key at a time: ${given.map(({ provider }) => `--${provider.flag}`).join(", ")}`,
    );
  return given[0];
}

function authFromFlags(
  options: Context["options"],
  current: { token?: string | undefined; password?: string | undefined },
): LocalAnswers["auth"] {
  const [token, password] = [options["gateway-token"], options["gateway-password"]];
  const mode = options["gateway-auth"] ?? (password && !token ? "password" : "token");
  if (mode === "off" || mode === "none") return { mode: "none" };
  if (mode === "token") return { mode, secret: token ?? current.token ?? randomHex(24) };
  const secret = password ?? current.password;
  if (!secret) throw new Failure("usage", "--gateway-auth password needs --gateway-password <password>");
  return { mode, secret };
}

async function chooseModel(
  host: Context["host"],
  choice: string | undefined,
  key: LocalAnswers["key"],
): Promise<LocalAnswers["model"]> {
  const provider = key?.provider ?? knownProviders.find((known) => known.choice === choice);
  if (provider) return { model: provider.model, source: key ? `--${provider.flag}` : `--auth-choice ${choice}` };
  return choice === "skip" ? undefined : findModel(host);
}

function tell({ host, paths, options, output }: Context, answers: Answers): void {
  if (answers.mode === "remote") {
    const auth = answers.token === undefined ? "none" : "token";
    if (output.json) output.data({ mode: "remote", remoteUrl: answers.url, auth });
    output.print(`Remote gateway: ${answers.url}`);
    output.print(`Auth: ${auth}`);
    return;
  }
  const { workspace, port, bind, auth, key, model } = answers;
  if (output.json)
    output.data({
      mode: "local",
      workspace,
      authChoice: key?.provider.choice ?? options["auth-choice"] ?? "skip",
      ...(model && { model: model.model }),
      gateway: { port, bind, authMode: auth.mode, tailscaleMode: "off" },
      installDaemon: false,
      skipSkills: true,
      skipHealth: true,
    });
  output.print(`Wrote ${tildify(host, paths.config)}`);
  output.print(`Workspace OK: ${tildify(host, workspace)}`);
  output.print(
    model ? `Model: ${model.model} (${model.source})` : "Model: none found; set agents.defaults.model.primary",
  );
}
