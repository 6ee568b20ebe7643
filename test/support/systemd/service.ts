import { join } from "node:path";
import { until } from "../gateway-process.ts";
import { root } from "../runtime.ts";
import { expectOk, type Account, type Machine, type RunResult } from "./machine.ts";

/** A gateway that is a service of a machine: of one account, or of the whole machine. */
export interface Service {
  /** Runs a command of the product there, as whoever manages the service. */
  cli(...args: readonly string[]): Promise<RunResult>;
  systemctl(...args: readonly string[]): Promise<RunResult>;
  /** A property of the unit, as systemd tells it. */
  property(name: string): Promise<string>;
  /** The running gateway's process, once it is another than `not` and ready. */
  pid(not?: string): Promise<string>;
  journal(): Promise<string>;
  writeConfig(config: unknown): Promise<void>;
  /** Changes a unit of one's own as a person would, with a file beside it. */
  dropIn(text: string): Promise<void>;
}

export interface ServiceOptions {
  readonly unit: string;
  readonly owner: Account;
  /** `system`: installed by the owner with sudo, for the whole machine. */
  readonly scope: "user" | "system";
}

/** The unit `unit` of a machine; it need not be installed yet. */
export function serviceOn(machine: Machine, { unit, owner, scope }: ServiceOptions): Service {
  const own = scope === "user";
  const who = own
    ? { as: owner, env: { PATH: path } }
    : { env: { PATH: path, HOME: owner.home, SUDO_USER: owner.name } };
  const user = own ? ["--user"] : [];
  const systemctl = (...args: readonly string[]) => machine.run(["systemctl", ...user, ...args], who);

  async function property(name: string): Promise<string> {
    return (await expectOk(systemctl("show", unit, "--value", "--property", name))).trim();
  }

  /** Written as its owner: what is put there as root is not the owner's to read. */
  function write(file: string, text: string): Promise<string> {
    const script = `umask 077; mkdir -p "$(dirname "$1")"; printf %s "$2" > "$1"`;
    return expectOk(machine.run(["sh", "-c", script, "sh", file, text], { as: owner }));
  }

  return {
    cli: (...args) => machine.run([...bun, ...args], who),
    systemctl,
    property,
    pid(not = "0") {
      return until(
        `running service (${unit})`,
        async () => {
          const pid = await property("MainPID");
          const state = await property("ActiveState");
          return pid !== "0" && pid !== not && state === "active" ? pid : undefined;
        },
        30_000,
      );
    },
    journal: () => expectOk(machine.run(["journalctl", ...user, "--unit", unit, "--output=cat", "--no-pager"], who)),
    async writeConfig(config) {
      await write(`${owner.home}/.openclaw/openclaw.json`, JSON.stringify(config));
    },
    async dropIn(text) {
      await write(`${owner.home}/.config/systemd/user/${unit}.d/test.conf`, text);
      await expectOk(systemctl("daemon-reload"));
    },
  };
}

const bun = [process.execPath, join(root, "adapters", "bun", "main.ts")];
const path = [join(root, "node_modules", "node", "bin"), "/usr/local/bin:/usr/bin:/bin"].join(":");
