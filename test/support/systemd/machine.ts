import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, readFileSync, realpathSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { until } from "../gateway-process.ts";
import { root } from "../runtime.ts";

/** A machine of its own with a real systemd as its first process: same disk (what it writes is forgotten), no network. */
export interface Machine {
  /** Runs a program there to its end, as root or as somebody who has an account there. */
  run(command: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Starts a program there that can be talked with. */
  start(command: readonly string[], options?: RunOptions): ChildProcess;
  /** Starts it again; resolves when it is up. */
  reboot(): Promise<void>;
  /** Ends it; nothing of it is left. */
  powerOff(): Promise<void>;
}

export interface Account {
  readonly name: string;
  readonly id: number;
  readonly home: string;
}

export interface RunOptions {
  /** Root, when absent. */
  readonly as?: Account;
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunResult {
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Why no such machine can be had here, as `needs ...`; undefined when it can. */
export function missing(): string | undefined {
  if (process.platform !== "linux") return "needs Linux";
  if (process.getuid?.() !== 0) return "needs root";
  if (!existsSync("/usr/bin/systemd-nspawn")) return "needs systemd-container (apt-get install systemd-container)";
  const parent = cgroups();
  if (!parent || !writable(parent)) return "needs a cgroup2 hierarchy to write in";
  const mounts =
    "mount -t tmpfs tmpfs /mnt && mkdir /mnt/u /mnt/w /mnt/r && " +
    "mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w /mnt/r";
  if (spawnSync("unshare", [...namespaces, "sh", "-c", mounts]).status !== 0)
    return "needs to be allowed to make namespaces and overlay mounts";
  return undefined;
}

/** Boots a machine and waits until its systemd says that it is up. Throws with what it printed when it does not come up. */
export async function bootMachine(): Promise<Machine> {
  const parent = cgroups();
  if (!parent) throw new Error("no cgroup2 hierarchy");
  sweep(parent);
  const cgroup = join(parent, `${cgroupPrefix}${process.pid}-${Date.now()}`);
  const shown = new Set([root, realpathSync(join(root, "node_modules"))]);
  // In the group of this process, which the test runner ends as a whole; and ended with this process, however that ends.
  const container = spawn(
    "setpriv",
    ["--pdeathsig", "KILL", "unshare", ...namespaces, "sh", script, cgroup, ...shown],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let printed = "";
  let ended = false;
  for (const stream of [container.stdout, container.stderr])
    stream.on("data", (data: Buffer) => void (printed = (printed + data.toString()).slice(-10_000)));
  const gone = new Promise<void>((resolve) => {
    container.on("close", () => {
      ended = true;
      resolve();
    });
  });
  let init = 0;

  async function up(): Promise<void> {
    const before = init;
    await until(
      "booted systemd",
      async () => {
        if (ended) throw new Error(`the machine ended:\n${printed}`);
        init = findInit(cgroup);
        if (init === 0 || init === before) return undefined; // not started yet, or the boot before it
        const { stdout } = await finish(enter(init, ["systemctl", "is-system-running"]));
        return /^(running|degraded)$/.test(stdout.trim()) || undefined;
      },
      60_000,
    );
  }

  async function powerOff(): Promise<void> {
    if (init !== 0 && !ended) await finish(enter(init, ["systemctl", "poweroff"]));
    const impatience = setTimeout(() => container.kill("SIGKILL"), 30_000);
    await gone;
    clearTimeout(impatience);
    sweep(parent ?? "");
  }

  try {
    await up();
  } catch (error) {
    container.kill("SIGKILL");
    await powerOff();
    throw new Error(`${String(error)}\n${printed}`, { cause: error });
  }
  return {
    run: (command, options) => finish(enter(init, command, options)),
    start: (command, options) => enter(init, command, options),
    async reboot() {
      await finish(enter(init, ["systemctl", "reboot"]));
      await up();
    },
    powerOff,
  };
}

/** A person, who is not logged in. */
export async function addAccount(machine: Machine, name: string): Promise<Account> {
  await expectOk(machine.run(["useradd", "--create-home", "--shell", "/bin/sh", name]));
  const [, , id = ""] = (await expectOk(machine.run(["getent", "passwd", name]))).split(":");
  return { name, id: Number(id), home: `/home/${name}` };
}

/** Lets an account have a systemd of its own that runs whether its owner is logged in or not. */
export async function enableLinger(machine: Machine, account: Account): Promise<void> {
  await expectOk(machine.run(["loginctl", "enable-linger", account.name]));
  await userManager(machine, account);
}

/** Waits until the account's own systemd answers. */
export async function userManager(machine: Machine, as: Account): Promise<void> {
  await until(
    "user manager",
    async () => {
      const { stdout } = await machine.run(["systemctl", "--user", "is-system-running"], { as });
      return /^(running|degraded)$/.test(stdout.trim()) || undefined;
    },
    30_000,
  );
}

/** What the program printed; throws when it failed. */
export async function expectOk(running: Promise<RunResult>): Promise<string> {
  const { status, stdout, stderr } = await running;
  if (status !== 0) throw new Error(`status ${status}\nstdout: ${stdout}\nstderr: ${stderr}`);
  return stdout;
}

const script = join(root, "test", "support", "systemd", "boot.sh");
const namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
const cgroupPrefix = "clawlet-test-";

/** Where cgroup2 is mounted: beside the older hierarchies on some machines. */
function cgroups(): string | undefined {
  return ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find(
    (path) => existsSync(join(path, "cgroup.procs")) && existsSync(join(path, "cgroup.controllers")),
  );
}

function writable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false; // mounted read-only, as in most containers
  }
}

/** Removes what machines leave that are gone, those of runs that were killed too. */
function sweep(parent: string): void {
  for (const name of readdirSync(parent).filter((each) => each.startsWith(cgroupPrefix))) {
    const [pid = ""] = name.slice(cgroupPrefix.length).split("-");
    if (Number(pid) === process.pid || !existsSync(`/proc/${pid}`)) removeCgroup(join(parent, name));
  }
}

function removeCgroup(path: string): void {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true }))
      if (entry.isDirectory()) removeCgroup(join(path, entry.name));
    rmdirSync(path);
  } catch {
    // A process in it is just ending, or another run was faster: the next start looks again.
  }
}

/** The first process of the machine, as it is numbered here; 0 when it has not come that far. */
function findInit(cgroup: string): number {
  try {
    const pids = readFileSync(join(cgroup, "payload", "init.scope", "cgroup.procs"), "utf8")
      .trim()
      .split("\n");
    return Number(pids.find((pid) => /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) ?? 0);
  } catch {
    return 0; // not there yet, or no longer
  }
}

function enter(init: number, command: readonly string[], { as, env }: RunOptions = {}): ChildProcess {
  const account = as ? ["setpriv", `--reuid=${as.id}`, `--regid=${as.id}`, "--clear-groups"] : [];
  return spawn("nsenter", ["--target", String(init), "--all", ...account, ...command], {
    stdio: ["pipe", "pipe", "pipe"],
    env: {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      LANG: "C.UTF-8",
      NO_COLOR: "1",
      HOME: as?.home ?? "/root",
      USER: as?.name ?? "root",
      ...(as && { XDG_RUNTIME_DIR: `/run/user/${as.id}` }),
      ...env,
    },
  });
}

function finish(child: ChildProcess): Promise<RunResult> {
  child.stdin?.end();
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (data: Buffer) => void (stdout += data.toString()));
  child.stderr?.on("data", (data: Buffer) => void (stderr += data.toString()));
  const deadline = setTimeout(() => child.kill("SIGKILL"), 90_000);
  return new Promise((resolve) => {
    child.on("error", (error) => resolve({ status: 127, stdout, stderr: String(error) }));
    child.on("close", (code, signal) => {
      clearTimeout(deadline);
      resolve({ status: code ?? signal ?? 0, stdout, stderr });
    });
  });
}
