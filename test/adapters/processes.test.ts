import { spawn } from "node:child_process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { converse } from "../../adapters/machine/background.ts";
import { processes } from "../../adapters/machine/processes.ts";
import { interpreter } from "../support/runtime.ts";

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

test("a program is spoken to in lines, and all that it says is heard before its end", async () => {
  const heard: string[] = [];
  const script =
    'while read -r line; do echo "<$line>"; [ "$line" = end ] && { printf last; echo " words"; exit 4; }; done';
  const child = converse("sh", ["-c", script], (text) => void heard.push(text));
  child.say("one");
  child.say("zwei ü");
  child.say("end");
  assert.equal(await child.exited, { code: 4, signal: undefined });
  assert.equal(heard, ["<one>", "<zwei ü>", "<end>", "last words"]);
  child.say("nobody is there");
});

test("a program that is spoken to is the one that was named, and what it complains of is kept", async () => {
  const child = converse("sh", ["-c", "echo no >&2; exec sleep 30"], () => undefined);
  while (child.stderr === "") await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill("SIGTERM");
  assert.is((await child.exited).signal, "SIGTERM");
  assert.is(child.stderr, "no\n");
  assert.is((await converse("/no/such/program", [], () => undefined).exited).code, 127);
});

test("a program in the background does not outlive this process, however that ends", async () => {
  for (const how of ["start", "converse"]) {
    const [program = "", ...args] = interpreter;
    const env = { ...process.env, [holding]: how };
    const holder = spawn(program, [...args, import.meta.filename], { env, stdio: ["ignore", "pipe", "inherit"] });
    const pid = await new Promise<number>((resolve) =>
      holder.stdout.setEncoding("utf8").once("data", (text: string) => resolve(Number(text))),
    );
    assert.ok(processes.alive(pid), how);
    holder.kill("SIGKILL");
    const deadline = Date.now() + 20_000;
    while (processes.alive(pid) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.not.ok(processes.alive(pid), how);
  }
});

test("a program whose line has no end is ended, and so is one that does not read", async () => {
  const heard: string[] = [];
  const endless = converse("sh", ["-c", "exec cat /dev/zero"], (text) => void heard.push(text));
  assert.is((await endless.exited).signal, "SIGKILL");
  assert.equal(heard, []);
  const deaf = converse("sleep", ["30"], () => undefined);
  for (let each = 0; each < 8; each++) deaf.say("x".repeat(1024 * 1024));
  assert.is((await deaf.exited).signal, "SIGKILL");
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

const holding = "CLAWLET_TEST_HOLDS";
const how = process.env[holding];
if (how === undefined) test.run();
else {
  const child = how === "start" ? processes.start("sleep", ["60"]) : converse("sleep", ["60"], () => undefined);
  process.stdout.write(String(child.pid));
  await child.exited;
}
