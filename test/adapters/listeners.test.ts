import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  findListeners,
  parseLsof,
  parseNetstat,
  parseProcNet,
  parseSs,
  parseTasklist,
} from "../../adapters/machine/listeners.ts";
import { run } from "../../adapters/machine/processes.ts";

const recorded = (name: string) => readFileSync(`test/golden/ports/${name}.txt`, "utf8");

test("/proc/net/tcp: only what listens, with its address", () => {
  assert.equal(parseProcNet(recorded("proc-net-tcp"), 18789), [{ inode: "40231", address: "127.0.0.1:18789" }]);
  assert.equal(parseProcNet(recorded("proc-net-tcp"), 22), [{ inode: "12001", address: "0.0.0.0:22" }]);
  assert.equal(parseProcNet(recorded("proc-net-tcp6"), 18789), [{ inode: "40232", address: "[::1]:18789" }]);
  assert.equal(parseProcNet(recorded("proc-net-tcp"), 50000), []);
});

test("ss: every process of the socket", () => {
  assert.equal(parseSs(recorded("ss"), 18789), [
    { pid: 4242, command: "node", address: "127.0.0.1:18789" },
    { pid: 4242, command: "node", address: "[::1]:18789" },
    { pid: 4243, command: 'odd \\"name\\"', address: "[::1]:18789" },
  ]);
  assert.equal(parseSs(recorded("ss"), 789), []);
});

test("lsof: a process once, with its user and first address", () => {
  assert.equal(parseLsof(recorded("lsof")), [
    { pid: 4242, command: "node", user: "ana", address: "127.0.0.1:18789" },
    { pid: 4300, command: "MainThread", user: "root", address: "*:18789" },
  ]);
  assert.equal(parseLsof(""), []);
});

test("netstat: listeners in any language", () => {
  assert.equal(parseNetstat(recorded("netstat"), 18789), [
    { pid: 4242, address: "127.0.0.1:18789" },
    { pid: 4242, address: "[::1]:18789" },
  ]);
});

test("tasklist: the image's name", () => {
  assert.is(parseTasklist('"node.exe","4242","Console","1","48,000 K"\r\n'), "node");
  assert.is(parseTasklist("INFO: No tasks are running which match the specified criteria.\r\n"), undefined);
});

test("the owner of a real port is this process", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const [owner] = await findListeners(port, run);
  assert.is(owner?.pid, process.pid);
  assert.is(owner?.address, `127.0.0.1:${port}`);
  assert.is(owner?.user, execFileSync("id", ["-un"], { encoding: "utf8" }).trim());
  assert.match(owner?.commandLine ?? "", "listeners.test");
  await new Promise((resolve) => server.close(resolve));
  assert.equal(await findListeners(port, run), []);
});

test.run();
