import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { suite, test } from "uvu";
import * as assert from "uvu/assert";
import { createHost } from "../../adapters/machine/host.ts";
import { processes } from "../../adapters/machine/processes.ts";
import { openTunnel, type TunnelOptions } from "../../src/client/ssh-tunnel.ts";
import { Failure } from "../../src/kit/error.ts";
import { freePort, makeHome, runCommand, startGateway, until } from "../support/gateway-process.ts";
import { endLaunched, launch } from "../support/launch.ts";
import { missingSsh, startSshServer } from "../support/ssh-server.ts";

const why = missingSsh();
if (why) {
  test("a tunnel through a real sshd", () => void process.stdout.write(`skipped: ${why}\n`));
  test.run();
} else {
  const live = suite("ssh");
  const server = await startSshServer();
  const gateway = await startGateway({
    config: { gateway: { mode: "local", auth: { mode: "token", token: "far" } } },
    args: [],
  });
  const open: { close(): void }[] = [];
  // What a failed test leaves open would keep this process from ending.
  live.after.each(() => {
    for (const each of open.splice(0)) each.close();
  });
  live.after(async () => {
    await gateway.stop();
    await server.stop();
    endLaunched();
  });
  const { serve } = await import("../../adapters/machine/serve.ts");
  const host = createHost({ runtime: "node", version: "1", main: `${process.cwd()}/adapters/node/main.ts`, serve });
  const options = (over: Partial<TunnelOptions> = {}): TunnelOptions => ({
    program: server.ssh,
    target: { user: server.user, host: "127.0.0.1", port: server.port },
    identity: server.key,
    knownOnly: false,
    remotePort: gateway.port,
    timeoutMs: 10_000,
    signal: new AbortController().signal,
    ...over,
  });
  const refused = async (over: Partial<TunnelOptions>): Promise<Failure> => {
    try {
      await (await openTunnel(host, options(over))).close();
    } catch (error) {
      return Failure.from(error);
    }
    throw new Error("the tunnel was opened");
  };
  const gone = (pid: number) => until("end of ssh", () => !processes.alive(pid) || undefined, 20_000);
  const probe = (home: string, ...args: readonly string[]) =>
    runCommand(["gateway", "probe", "--timeout", "6000", "--json", ...args], home, {
      PATH: `${server.bin}:${process.env["PATH"] ?? ""}`,
    });
  const ssh = `${server.user}@127.0.0.1:${server.port}`;

  live("threat J: a machine that was never met is not gone to because it announced itself", async () => {
    const failure = await refused({ knownOnly: true });
    assert.match(failure.message, "SSH tunnel failed: ssh exited (255): ");
    assert.match(failure.message, "host key");
    assert.not.ok(existsSync(server.knownHosts));
  });

  live("SC-197 a tunnel leads to the loopback of the other machine, and is gone when it is closed", async () => {
    const tunnel = await openTunnel(host, options());
    assert.ok(processes.alive(tunnel.pid));
    assert.is.not(tunnel.localPort, gateway.port, "which is taken here, this being the same machine");
    const answer = await fetch(`http://127.0.0.1:${tunnel.localPort}/health`);
    assert.is(answer.status, 200);
    await tunnel.close();
    assert.not.ok(processes.alive(tunnel.pid));
  });

  live(
    "SC-193 SC-194 gateway probe --ssh finds the gateway and asks it, with the credentials that stand beside it",
    async () => {
      const home = makeHome();
      const line = ["--ssh", ssh, "--ssh-identity", server.key];
      remoteConfig(home, gateway.port);
      const report = JSON.parse((await probe(home, ...line, "--token", "far")).stdout);
      const [first] = report.targets;
      assert.equal([first.kind, first.connect.ok, first.tunnel.target], ["sshTunnel", true, ssh]);
      assert.is(first.auth.capability, "admin_capable");
      await gone(first.tunnel.pid);
      const bare = JSON.parse((await probe(home, ...line)).stdout);
      assert.is(bare.targets[0].connect.ok, false);
      assert.is(bare.targets[0].trouble.kind, "credentials-missing");
      await gone(bare.targets[0].tunnel.pid);
      rmSync(home, { recursive: true });
    },
  );

  live("SC-196 the configuration's target and key are used, with the remote's credentials", async () => {
    const home = makeHome();
    remoteConfig(home, gateway.port, {
      url: "wss://far.invalid",
      token: "far",
      sshTarget: ssh,
      sshIdentity: server.key,
    });
    const { stdout } = await probe(home);
    const [first] = JSON.parse(stdout).targets;
    assert.equal([first.kind, first.connect.ok], ["sshTunnel", true]);
    await gone(first.tunnel.pid);
    rmSync(home, { recursive: true });
  });

  live("a wrong key is a warning with ssh's own reason, and the direct ways are tried all the same", async () => {
    const home = makeHome();
    remoteConfig(home, await freePort());
    const { stdout } = await probe(home, "--ssh", ssh, "--ssh-identity", server.otherKey);
    const { warnings, targets } = JSON.parse(stdout);
    assert.is(warnings[0].code, "ssh_tunnel_failed");
    assert.match(warnings[0].message, /^SSH tunnel failed: ssh exited \(255\): .*Permission denied \(publickey/);
    assert.equal(
      targets.map(({ kind }: { kind: string }) => kind),
      ["localLoopback"],
    );
    rmSync(home, { recursive: true });
  });

  live("a machine that shows another key than before is refused", async () => {
    writeFileSync(server.knownHosts, server.otherHost);
    const failure = await refused({});
    assert.match(failure.message, "Host key verification failed.");
    assert.match(failure.hints[0] ?? "", "ssh-keygen -R");
    rmSync(server.knownHosts);
  });

  live("a server that accepts and says nothing: the time is kept, and no process is left", async () => {
    const silent = await listen(open);
    const target = { user: server.user, host: "127.0.0.1", port: silent.port };
    const failure = await refused({ target, timeoutMs: 500 });
    assert.is(failure.code, "timeout");
  });

  live("an interrupt while it is opened leaves no process", async () => {
    const silent = await listen(open);
    const abort = new AbortController();
    const target = { user: server.user, host: "127.0.0.1", port: silent.port };
    silent.server.on("connection", () => abort.abort());
    assert.is((await refused({ target, signal: abort.signal })).code, "aborted");
  });

  live("nobody at the other end: the tunnel stands and says so", async () => {
    const home = makeHome();
    remoteConfig(home, await freePort());
    const { stdout } = await probe(home, "--ssh", ssh, "--ssh-identity", server.key);
    const [first] = JSON.parse(stdout).targets;
    assert.equal([first.kind, first.trouble.kind], ["sshTunnel", "refused"]);
    assert.match(first.trouble.advice[0], "nothing listens on port");
    rmSync(home, { recursive: true });
  });

  for (const signal of ["SIGINT", "SIGKILL"] as const)
    live(`${signal} while a gateway is asked through the tunnel: ssh ends too`, async () => {
      const home = makeHome();
      const mute = await listen(open);
      remoteConfig(home, mute.port);
      const asked = new Promise<void>((resolve) =>
        mute.server.on("connection", (socket) => socket.on("data", () => resolve())),
      );
      const args = ["gateway", "probe", "--timeout", "60000", "--ssh", ssh, "--ssh-identity", server.key];
      const running = launch(args, home, { env: { PATH: `${server.bin}:${process.env["PATH"] ?? ""}` } });
      await asked;
      const tunnels = await until("tunnel", () => tunnelsTo(mute.port), 60_000);
      await running.end(signal);
      for (const pid of tunnels) await gone(pid);
      rmSync(home, { recursive: true });
    });

  live.run();

  /** The processes that forward to a port: they say so on their command line. */
  async function tunnelsTo(port: number): Promise<readonly number[] | undefined> {
    // Whoever looks all the time leaves a busy machine no time for what is looked for.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { stdout } = await processes.run("ps", ["-eo", "pid=,args="]);
    const pids = stdout
      .split("\n")
      .filter((line) => line.includes("/usr/bin/ssh ") && line.includes(`:127.0.0.1:${port} `))
      .map((line) => Number.parseInt(line, 10));
    return pids.length > 0 ? pids : undefined;
  }
}

/** A home whose configuration names a remote gateway. */
function remoteConfig(home: string, port: number, remote: object = {}): string {
  mkdirSync(join(home, ".openclaw"), { mode: 0o700 });
  const gateway = { mode: "remote", port, remote };
  writeFileSync(join(home, ".openclaw", "openclaw.json"), JSON.stringify({ gateway }), { mode: 0o600 });
  return home;
}

/** A server that accepts and says nothing. It ends with its connections when it is closed. */
async function listen(open: { close(): void }[]): Promise<{ server: Server; port: number }> {
  const server = createServer();
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => void sockets.add(socket.on("error", () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  open.push({
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  const address = server.address();
  return { server, port: typeof address === "object" && address ? address.port : 0 };
}
