import { test } from "uvu";
import * as assert from "uvu/assert";
import { effectiveArguments, parseEffective, tunnelArguments } from "../../src/client/ssh-arguments.ts";
import { parseSshTarget, spellSshTarget } from "../../src/client/ssh-target.ts";
import { openTunnel } from "../../src/client/ssh-tunnel.ts";
import { Failure } from "../../src/kit/error.ts";
import { scriptedHost, type ScriptedOptions } from "../support/host.ts";

const route = { target: { user: "me", host: "far", port: 2200 }, identity: "/k", knownOnly: false };

test("SC-193 a target is user@host:port, user and port optional, IPv6 in brackets", () => {
  assert.equal(parseSshTarget("me@far:2200", "--ssh"), { user: "me", host: "far", port: 2200 });
  assert.equal(parseSshTarget("far", "--ssh"), { user: undefined, host: "far", port: undefined });
  assert.equal(parseSshTarget("me@[fd00::7]:22", "--ssh"), { user: "me", host: "fd00::7", port: 22 });
  assert.is(parseSshTarget("[fe80::1%eth0]", "--ssh").host, "fe80::1%eth0");
  for (const text of ["me@far:2200", "far", "me@[fd00::7]:22"])
    assert.is(spellSshTarget(parseSshTarget(text, "--ssh")), text);
});

test("threat: nothing that ssh could take for an option or a command is a target", () => {
  const hostile = [
    "",
    "-oProxyCommand=x",
    "me@-oProxyCommand=x",
    "-l@far",
    "a b",
    "far\n-v",
    "far;id",
    "$(id)",
    "`id`",
  ];
  const wrong = [
    "me@",
    "@far",
    "me@far:",
    "far:0",
    "far:65536",
    "far:22x",
    "fd00::7",
    "[far]",
    "[::1",
    "a@b@c",
    "far:1:2",
    "\u0000",
  ];
  for (const text of [...hostile, ...wrong])
    assert.throws(
      () => parseSshTarget(text, "--ssh"),
      (error: unknown) => error instanceof Failure && error.code === "usage",
      text,
    );
  assert.throws(
    () => parseSshTarget("-x", "gateway.remote.sshTarget"),
    (error: unknown) => error instanceof Failure && error.code === "config",
  );
});

test("SC-193 SC-194 SC-197 ssh is asked for its configuration, then told what to forward", () => {
  assert.equal(effectiveArguments(route), ["-G", "-p", "2200", "-i", "/k", "me@far"]);
  const line = tunnelArguments(route, { local: 18_790, remote: 18_789 }, parseEffective("port 2200\n")).join(" ");
  assert.is(
    line,
    "-N -L 18790:127.0.0.1:18789 -p 2200 -o ExitOnForwardFailure=yes -o BatchMode=yes -o StrictHostKeyChecking=accept-new -o UpdateHostKeys=yes -o ConnectTimeout=5 -o ServerAliveInterval=15 -o ServerAliveCountMax=3 -i /k me@far",
  );
});

test("a port that is not named is that of ssh's configuration, else 22", () => {
  assert.is(parseEffective("user me\nport 2022\n").port, 2022);
  assert.is(parseEffective("").port, 22);
  assert.equal(effectiveArguments({ target: { host: "far" }, knownOnly: false }), ["-G", "far"]);
});

test("what the user's configuration would do to a tunnel is undone: sharing, leaving, opening to the network", () => {
  const usual = "controlmaster false\nforkafterauthentication no\ngatewayports no\n";
  assert.equal(parseEffective(usual).overrides, []);
  assert.equal(parseEffective("controlpath /tmp/x\r\nForkAfterAuthentication yes\ngatewayports yes\n").overrides, [
    "-o",
    "ControlPath=none",
    "-o",
    "ForkAfterAuthentication=no",
    "-o",
    "GatewayPorts=no",
  ]);
});

test("threat J: to a machine that announced itself only a known key leads", () => {
  const line = tunnelArguments({ ...route, knownOnly: true }, { local: 1, remote: 1 }, parseEffective(""));
  assert.ok(line.includes("StrictHostKeyChecking=yes"));
});

const open = (options: ScriptedOptions, over: { signal?: AbortSignal } = {}) => {
  const host = scriptedHost({ commands: { "/usr/bin/ssh": { stdout: "port 22\n" } }, ...options });
  const signal = over.signal ?? new AbortController().signal;
  return {
    host,
    tunnel: openTunnel(host, { ...route, program: "/usr/bin/ssh", remotePort: 18_789, timeoutMs: 100, signal }),
  };
};
const fails = async (work: Promise<unknown>): Promise<Failure> => {
  try {
    await work;
  } catch (error) {
    return Failure.from(error);
  }
  throw new Error("it did not fail");
};

test("a tunnel stands when its port is ssh's, and is ended by its owner", async () => {
  const { host, tunnel } = open({
    started: ({ pid }) => {
      host.net.taken.add(18_789);
      host.processes.ports.set(18_789, [{ pid, command: "ssh" }]);
    },
  });
  const standing = await tunnel;
  const { pid, localPort } = standing;
  assert.equal([localPort, host.processes.alive(pid)], [18_789, true]);
  await standing.close();
  assert.not.ok(host.processes.alive(pid));
});

test("a port that is taken here is left alone, and another is used", async () => {
  const { host, tunnel } = open({
    started({ pid, args }) {
      const port = Number.parseInt(args[2] ?? "", 10);
      host.net.taken.add(port);
      host.processes.ports.set(port, [{ pid, command: "ssh" }]);
    },
  });
  host.net.taken.add(18_789);
  const { localPort, remotePort } = await tunnel;
  assert.is.not(localPort, 18_789);
  assert.is(remotePort, 18_789);
});

test("threat: a port that another program took meanwhile is not used, and ssh is ended", async () => {
  const { host, tunnel } = open({
    started: ({ pid }) => {
      host.net.taken.add(18_789);
      host.processes.ports.set(18_789, [
        { pid, command: "ssh", address: "[::1]:18789" },
        { pid: 666, command: "thief", address: "127.0.0.1:18789" },
      ]);
    },
  });
  const failure = await fails(tunnel);
  assert.match(failure.message, "another program listens on port 18789");
  assert.not.ok(host.processes.alive(host.processes.background[0]?.pid ?? 0));
});

test("ssh that ends says why, without noise and not at length", async () => {
  const { tunnel } = open({
    started(child) {
      child.complain(
        `Warning: Permanently added 'far'\r\n${"x".repeat(2000)}\r\nme@far: Permission denied (publickey).\r\n`,
      );
      child.end(255);
    },
  });
  const { message, hints } = await fails(tunnel);
  assert.match(message, /^SSH tunnel failed: ssh exited \(255\): x/);
  assert.ok(message.length < 500);
  assert.match(hints[0] ?? "", "--ssh-identity");
});

test("no ssh, and a configuration that it cannot read, are told before anything is started", async () => {
  const missing = open({ commands: {} });
  assert.match((await fails(missing.tunnel)).message, "ssh could not be started");
  const broken = open({ commands: { "/usr/bin/ssh": { code: 255, stderr: "line 3: Bad configuration option: x\n" } } });
  assert.match((await fails(broken.tunnel)).message, "Bad configuration option");
  assert.is(missing.host.processes.background.length + broken.host.processes.background.length, 0);
});

test("time and interrupts end the wait and ssh, one that does not listen too", async () => {
  const abort = new AbortController();
  const late = open({ started: ({ pid }) => void late.host.processes.stubborn.add(pid) });
  const failure = fails(late.tunnel);
  for (let tick = 0; tick < 60; tick++) await late.host.clock.advance(25);
  assert.is((await failure).code, "timeout");
  assert.equal(late.host.processes.background[0]?.signals, ["SIGTERM", "SIGKILL"]);
  const stopped = open({ started: () => abort.abort() }, { signal: abort.signal });
  const aborted = fails(stopped.tunnel);
  assert.is((await aborted).code, "aborted");
  assert.equal(stopped.host.processes.background[0]?.signals, ["SIGTERM"]);
});

test.run();
