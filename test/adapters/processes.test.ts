import { test } from "uvu";
import * as assert from "uvu/assert";
import { processes } from "../../adapters/machine/processes.ts";

test("a program runs to its end with its output and status", async () => {
  assert.equal(await processes.run("sh", ["-c", "cat; echo err >&2; exit 3"], { input: "in" }), {
    code: 3,
    stdout: "in",
    stderr: "err\n",
  });
});

test("a program that is not there answers 127", async () => {
  assert.is((await processes.run("/no/such/program", [])).code, 127);
});

test("a program that takes too long is killed", async () => {
  const started = Date.now();
  const { code } = await processes.run("sleep", ["30"], { timeoutMs: 50 });
  assert.is.not(code, 0);
  assert.ok(Date.now() - started < 10_000);
});

test("a program that takes too long does not hold us up with what it started", async () => {
  const started = Date.now();
  await processes.run("sh", ["-c", "sleep 8 & sleep 8"], { timeoutMs: 50 });
  assert.ok(Date.now() - started < 5000);
});

test("this process is its own first ancestor, and its parent the next", async () => {
  const ancestors = await processes.ancestors();
  assert.equal(ancestors.slice(0, 2), [process.pid, process.ppid]);
});

test("a process has one start time as long as it lives", async () => {
  const first = await processes.startTime(process.pid);
  assert.ok(first);
  assert.is(await processes.startTime(process.pid), first);
  assert.is(await processes.startTime(2_000_000_000), undefined);
});

test("a child is alive until it is killed, waited for or not", async () => {
  const child = processes.spawn("sleep", ["30"]);
  assert.ok(processes.alive(child.pid));
  child.kill("SIGKILL");
  assert.equal(await child.exited, { code: undefined, signal: "SIGKILL" });
  assert.not.ok(processes.alive(child.pid));
});

test("a child's own status is told, also when it was asked to end", async () => {
  const child = processes.spawn("sh", ["-c", 'trap "exit 7" TERM; while :; do sleep 0.05; done']);
  await new Promise((resolve) => setTimeout(resolve, 300));
  child.kill("SIGTERM");
  assert.equal(await child.exited, { code: 7, signal: undefined });
});

test("a program in the background has its own status, and its complaints are kept at their end", async () => {
  const child = processes.start("sh", [
    "-c",
    'i=0; while [ $i -lt 2000 ]; do echo "line $i" >&2; i=$((i+1)); done; exit 7',
  ]);
  assert.equal(await child.exited, { code: 7, signal: undefined });
  assert.match(child.stderr, "line 1999\n");
  assert.ok(child.stderr.length <= 8192);
});

test("a program in the background is the one that was named, and has nothing to read", async () => {
  const child = processes.start("cat", []);
  assert.equal(await child.exited, { code: 0, signal: undefined });
  const lasting = processes.start("sleep", ["30"]);
  lasting.kill("SIGTERM");
  assert.equal(await lasting.exited, { code: undefined, signal: "SIGTERM" });
  assert.not.ok(processes.alive(lasting.pid));
  assert.is((await processes.start("/no/such/program", []).exited).code, 127);
});

test("signals are heard until the listener is taken back", async () => {
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("not heard")), 5000);
    const stop = processes.onSignal("SIGUSR2", () => {
      clearTimeout(late);
      stop();
      resolve();
    });
    process.kill(process.pid, "SIGUSR2");
  });
  assert.is(process.listenerCount("SIGUSR2"), 0);
});

test.run();
