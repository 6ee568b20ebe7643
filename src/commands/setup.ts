import { ensureSessions, ensureWorkspace } from "../agent/workspace.ts";
import { absolute, tildify } from "../host/paths.ts";
import { randomHex } from "../kit/ids.ts";
import { createLogger } from "../kit/log.ts";
import { command } from "./command.ts";

/** Makes a configuration with which the gateway starts, the workspace and the sessions folder; keeps what is there. */
export const setup = command({
  path: ["setup"],
  summary: "Write a first configuration and make the workspace, without questions.",
  options: {
    workspace: { value: "<folder>", description: "The folder the agent works in." },
  },
  examples: [{ command: "setup", description: "Ready to run: local gateway, generated token, default workspace." }],
  async run({ host, flavour, paths, options, output }) {
    const { openConfig } = await import("../config/file.ts");
    const config = await openConfig(
      host,
      flavour,
      paths,
      createLogger(() => host.clock.now(), []),
    );
    const { value, exists, hash } = config.current();
    const { auth, mode } = value.gateway;
    const workspace = absolute(host, options.workspace ?? value.agents.defaults.workspace ?? paths.workspace);
    await config.patch(
      {
        gateway: {
          mode: mode ?? "local",
          ...(auth.mode === undefined && auth.token === undefined && auth.password === undefined
            ? { auth: { mode: "token", token: randomHex(24) } }
            : {}),
        },
        agents: { defaults: { workspace } },
      },
      { baseHash: exists ? hash : undefined, by: "setup" },
    );
    await ensureWorkspace(host, workspace, "person");
    const sessions = await ensureSessions(host, paths.state);
    if (output.json) output.data({ config: paths.config, workspace, sessions });
    output.print(`Wrote ${tildify(host, paths.config)}`);
    output.print(`Workspace OK: ${tildify(host, workspace)}`);
    output.print(`Sessions OK: ${tildify(host, sessions)}`);
    return 0;
  },
});
