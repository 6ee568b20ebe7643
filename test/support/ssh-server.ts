import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, until } from "./gateway-process.ts";

/** An SSH server of the test's own on loopback: its own keys, no PAM, nobody let in but by the test's key. */
export interface SshServer {
  readonly port: number;
  readonly user: string;
  /** Private keys: the one that is let in, and one that is not. */
  readonly key: string;
  readonly otherKey: string;
  /** An ssh that has a file of known machines of its own, and no configuration of the user's. */
  readonly ssh: string;
  /** The folder that it is in, for a PATH. */
  readonly bin: string;
  /** Its file of known machines. */
  readonly knownHosts: string;
  /** The key of another server of the same address and port, as a line of that file. */
  readonly otherHost: string;
  stop(): Promise<void>;
}

const sshd = "/usr/sbin/sshd";

/** Why there can be no such server here, as `needs ...`; undefined when there can. */
export function missingSsh(): string | undefined {
  if (process.platform === "win32") return "needs a system with sshd";
  for (const program of [sshd, "/usr/bin/ssh", "/usr/bin/ssh-keygen"])
    if (!existsSync(program)) return `needs ${program} (apt-get install openssh-server openssh-client)`;
  return undefined;
}

/** Starts it, with more lines of configuration where wanted. */
export async function startSshServer(...more: readonly string[]): Promise<SshServer> {
  const folder = mkdtempSync(join(tmpdir(), "clawlet-ssh-"));
  // A server that runs as root gives up its rights in this folder.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  const path = (name: string) => join(folder, name);
  for (const name of ["host", "user", "other"]) makeKey(path(name));
  writeFileSync(path("authorized"), readFileSync(`${path("user")}.pub`), { mode: 0o600 });
  const port = await freePort();
  writeFileSync(
    path("config"),
    [
      `Port ${port}`,
      "ListenAddress 127.0.0.1",
      `HostKey ${path("host")}`,
      `AuthorizedKeysFile ${path("authorized")}`,
      `PidFile ${path("pid")}`,
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
      "UsePAM no",
      "StrictModes no",
      "PermitRootLogin prohibit-password",
      ...more,
    ].join("\n"),
  );
  mkdirSync(path("bin"));
  writeFileSync(path("client"), `UserKnownHostsFile ${path("known_hosts")}\nGlobalKnownHostsFile /dev/null\n`);
  writeFileSync(path("bin/ssh"), `#!/bin/sh\nexec /usr/bin/ssh -F ${path("client")} "$@"\n`, { mode: 0o755 });
  const server = spawn(sshd, ["-D", "-e", "-f", path("config")], { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  server.stderr.on("data", (data: Buffer) => void (log += data.toString()));
  await until("ssh server", () => accepts(port)).catch((error: unknown) => {
    server.kill("SIGKILL");
    throw new Error(`${String(error)}: ${log}`, { cause: error });
  });
  return {
    port,
    user: spawnSync("id", ["-un"]).stdout.toString().trim(),
    key: path("user"),
    otherKey: path("other"),
    ssh: path("bin/ssh"),
    bin: path("bin"),
    knownHosts: path("known_hosts"),
    otherHost: `[127.0.0.1]:${port} ${readFileSync(`${path("other")}.pub`, "utf8")}`,
    async stop() {
      await ended(server);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function makeKey(path: string): void {
  const { status, stderr } = spawnSync("/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
  if (status !== 0) throw new Error(`ssh-keygen: ${String(stderr)}`);
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.on("close", () => resolve());
    if (child.pid !== undefined) process.kill(child.pid, "SIGTERM");
  });
}

function accepts(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(undefined));
  });
}
