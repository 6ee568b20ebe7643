import { agentsOf, workspaceOf } from "../agent/roster.ts";
import { dirname, join, setting, tildify } from "../host/paths.ts";
import { isObject } from "../kit/json.ts";
import { redact } from "../kit/redact.ts";
import type { Check, CheckContext, Finding } from "./check.ts";

/** Secrets where others can read them: command lines, repositories, files that the model reads, the same one twice. */
export const secrets: Check = {
  id: "secrets",
  title: "Secrets",
  security: true,
  look: async (context) => [
    ...(await inCommandLines(context)),
    ...(await inRepositories(context)),
    ...(await inWorkspaces(context)),
    ...inConfig(context),
  ],
};

/** `ps` shows command lines to everybody on the machine. */
async function inCommandLines(context: CheckContext): Promise<Finding[]> {
  const { host, config, program } = context;
  const { running } = await context.gateway();
  const known = gatewaySecrets(context);
  const owners = await host.processes.listeners(running?.port ?? config.snapshot.value.gateway.port);
  return owners
    .filter(({ commandLine = "" }) => known.some((secret) => commandLine.includes(secret)) || flagged.test(commandLine))
    .map(({ pid }) => ({
      code: "secret-in-command-line",
      level: "error",
      message: `The command line of process ${pid} holds the gateway's secret: ps shows it to every user. Start it without --token or --password.`,
      command: `${program} config set gateway.auth.token <a new one>`,
    }));
}

const flagged = /--(token|password)[= ](?![-*])\S/;

/** A folder under version control is copied to wherever the repository goes. */
async function inRepositories(context: CheckContext): Promise<Finding[]> {
  const { host, paths } = context;
  const [state, config] = await Promise.all([
    repositoryOf(context, paths.state),
    repositoryOf(context, dirname(paths.config)),
  ]);
  const both: readonly (readonly [string | undefined, string])[] =
    state === config
      ? [[state, paths.state]]
      : [
          [state, paths.state],
          [config, paths.config],
        ];
  return both.flatMap(([repository, path]): Finding[] =>
    repository === undefined
      ? []
      : [
          {
            code: "secret-in-git",
            level: "warning",
            message: `${tildify(host, path)} lies in the git repository ${tildify(host, repository)}: secrets in it may be committed and pushed.`,
            path,
            command: `git -C ${tildify(host, repository)} ls-files ${tildify(host, path)}`,
          },
        ],
  );
}

async function repositoryOf({ host }: CheckContext, folder: string): Promise<string | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    if (await host.files.stat(join(at, ".git"))) return at;
    if (at === dirname(at)) return undefined;
  }
}

/** What the model is given to read, it may repeat to whoever asks. */
async function inWorkspaces(context: CheckContext): Promise<Finding[]> {
  const { host, paths, config } = context;
  const { value } = config.snapshot;
  const folders = [...new Set(agentsOf(value).map((agent) => workspaceOf(agent, value, { host, paths })))];
  const known = gatewaySecrets(context);
  const places = folders.flatMap((folder) => readNames.map((name) => join(folder, name)));
  const found = await Promise.all(
    places.map(async (path) => {
      const stat = await host.files.stat(path);
      if (stat?.kind !== "file") return [];
      const text = new TextDecoder().decode(await host.files.readRange(path, 0, mostBytes));
      return known.some((secret) => text.includes(secret)) || redact(text) !== text ? [path] : [];
    }),
  );
  return found.flat().map((path) => ({
    code: "secret-in-workspace",
    level: "warning",
    message: `${tildify(host, path)} seems to hold a secret, and the agent can read it: move it to ${tildify(host, join(paths.state, ".env"))}.`,
    path,
  }));
}

const readNames = [
  ".env",
  "AGENTS.md",
  "SOUL.md",
  "TOOLS.md",
  "IDENTITY.md",
  "USER.md",
  "HEARTBEAT.md",
  "MEMORY.md",
  "BOOT.md",
];
const mostBytes = 256 * 1024;

function inConfig({ config, program }: CheckContext): Finding[] {
  const { parsed, source } = config.snapshot;
  const written = (...path: readonly string[]): string | undefined => textAt(parsed, path);
  const token = textAt(source, ["gateway", "auth", "token"]);
  const hooks = textAt(source, ["hooks", "token"]);
  const plain = (text: string | undefined): boolean => text !== undefined && !text.startsWith("${");
  const finding = (code: string, level: Finding["level"], path: string, message: string): Finding => ({
    code,
    level,
    message,
    path,
    command: `${program} config set ${path} '\${${path.toUpperCase().replaceAll(".", "_")}}'`,
  });
  return [
    ...(plain(written("gateway", "auth", "password"))
      ? [
          finding(
            "config.secrets.gateway_password_in_config",
            "info",
            "gateway.auth.password",
            "The gateway's password, which a person may use elsewhere too, is written in the configuration; the state's .env is the place for it.",
          ),
        ]
      : []),
    ...(plain(written("hooks", "token"))
      ? [
          finding(
            "config.secrets.hooks_token_in_config",
            "info",
            "hooks.token",
            "The token of the hooks is written in the configuration; the state's .env is the place for it.",
          ),
        ]
      : []),
    ...(hooks !== undefined && hooks === token
      ? [
          finding(
            "hooks.token_reuse_gateway_token",
            "error",
            "hooks.token",
            "The hooks have the gateway's own token: whoever may send a hook may do everything.",
          ),
        ]
      : []),
    ...(hooks !== undefined && hooks.length < 24
      ? [
          finding(
            "hooks.token_too_short",
            "warning",
            "hooks.token",
            "The token of the hooks has fewer than 24 characters: it can be guessed.",
          ),
        ]
      : []),
  ];
}

/** What must not be found anywhere; short ones are left out, for they are found by chance. */
function gatewaySecrets({ flavour, config }: CheckContext): readonly string[] {
  const { auth } = config.snapshot.value.gateway;
  const env = { env: config.environment };
  const all = [
    auth.token,
    auth.password,
    setting(env, flavour, "GATEWAY_TOKEN"),
    setting(env, flavour, "GATEWAY_PASSWORD"),
  ];
  return all.filter((secret) => secret !== undefined && secret.length >= 8).map(String);
}

function textAt(root: unknown, path: readonly string[]): string | undefined {
  let value = root;
  for (const key of path) value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return typeof value === "string" && value !== "" ? value : undefined;
}
