import { test } from "uvu";
import * as assert from "uvu/assert";
import { settle } from "../support/fake-clock.ts";
import { machine, otherProcess, started, type Foreground } from "../commands/foreground.ts";

const state = "/home/me/.clawdbot";
const file = `${state}/clawdbot.json`;

test("a live key is read on its next use: no restart, and the log says which", async () => {
  const { run, edit, told } = await running();
  await edit({ messages: { queue: { cap: 3 } } });
  assert.is(run.opened.config.current().value.messages.queue.cap, 3);
  assert.ok(told("config change detected; evaluating reload (messages.queue.cap)"));
  assert.ok(told("config change applied (dynamic reads: messages.queue.cap)"));
  assert.equal(run.calls, []);
});

test("several changes that need a restart make one, in the same process", async () => {
  const { run, edit, told } = await running();
  await edit({ discovery: { mdns: { mode: "off" } } });
  await run.opened.config.set("plugins.a", 1, { by: "x" });
  assert.equal(run.calls, []);
  await run.host.clock.advance(300);
  assert.equal(run.calls, ["restart"]);
  assert.ok(told("config change needs a restart (discovery.mdns.mode, plugins.a); restarting"));
  assert.is(run.host.terminal.stdout.text.split("agent model").length, 3, "it says again where it listens");
});

test("a restart comes when its writer said, in any mode", async () => {
  const { run } = await running({ gateway: { reload: { mode: "hot" } } });
  const { config } = run.opened;
  await config.patch({ plugins: { a: 1 } }, { baseHash: config.current().hash, by: "x", restartDelayMs: 2000 });
  await run.host.clock.advance(1900);
  assert.equal(run.calls, []);
  await run.host.clock.advance(100);
  assert.equal(run.calls, ["restart"]);
});

test("what the gateway wrote itself is one change, not two", async () => {
  const { run } = await running();
  await run.opened.config.set("plugins.a", 1, { by: "x" });
  await run.host.clock.advance(20_000);
  assert.equal(run.calls, ["restart"]);
  assert.is(run.stdout().split("config change detected").length, 2);
});

test("mode hot never restarts and says that one is needed; mode restart restarts for a live key", async () => {
  const hot = await running({ gateway: { reload: { mode: "hot" } } });
  await hot.edit({ gateway: { reload: { mode: "hot" } }, plugins: { a: 1 }, ui: { a: 1 } });
  await hot.run.host.clock.advance(1000);
  assert.equal(hot.run.calls, []);
  assert.ok(hot.told("config change needs a gateway restart; mode hot leaves it to you (plugins.a)"));
  assert.ok(hot.told("config change applied (dynamic reads: ui.a)"));

  const always = await running({ gateway: { reload: { mode: "restart" } } });
  await always.edit({ gateway: { reload: { mode: "restart" } }, ui: { a: 1 }, meta: { a: 1 } });
  await always.run.host.clock.advance(300);
  assert.equal(always.run.calls, ["restart"]);
});

test("mode off takes nothing over, and the gateway.reload keys need nothing themselves", async () => {
  const { run, edit } = await running();
  await edit({ gateway: { reload: { mode: "off", debounceMs: 300 } } });
  await edit({ plugins: { a: 1 }, ui: { a: 1 } });
  await run.host.clock.advance(20_000);
  assert.equal([run.calls, run.opened.config.current().value.ui], [[], undefined]);
});

test("an invalid edit is skipped, told once, and shown in no secret; the next good one counts", async () => {
  const { run, edit, told } = await running({ gateway: { auth: { token: "a-good-long-secret" } } });
  await edit({ ui: { a: 1 }, gateway: { auth: { token: 5 } } });
  await run.host.clock.advance(20_000);
  const lines = run.host.terminal.stderr.text.split("config reload skipped (invalid config): gateway.auth.token: ");
  assert.is(lines.length, 2);
  assert.is(run.opened.config.current().value.gateway.auth.token, "a-good-long-secret");
  await edit({ ui: { a: 2 }, gateway: { auth: { token: "another-good-secret" } } });
  assert.is(run.opened.config.current().value.gateway.auth.token, "another-good-secret");
  assert.not.ok(told("another-good-secret"));
});

test("threat A: an edit that would open the gateway without a secret is skipped, not restarted into", async () => {
  const { run, edit } = await running();
  await edit({ gateway: { bind: "lan" } });
  await run.host.clock.advance(20_000);
  assert.match(run.host.terminal.stderr.text, "config reload skipped (invalid config): gateway: Refusing to bind");
  assert.equal([run.calls, run.opened.config.current().value.gateway.bind], [[], "loopback"]);
});

test("a file that is gone or cannot be read changes nothing", async () => {
  const { run } = await running({ ui: { a: 1 } });
  await run.host.files.remove(file);
  await run.host.clock.advance(300);
  run.host.files.before = (operation, path) => {
    if (operation === "read" && path === file) throw new Error("EACCES: permission denied");
  };
  run.host.files.put(file, "{}");
  await run.host.clock.advance(300);
  assert.match(run.host.terminal.stderr.text, "config reload skipped (invalid config): <root>: the file is gone");
  assert.match(run.host.terminal.stderr.text, /config reload skipped \(invalid config\): cannot read .*EACCES/);
  assert.equal([run.calls, run.opened.config.current().value.ui], [[], { a: 1 }]);
});

test("a variable in the .env of the state folder counts like the text that names it", async () => {
  const { run } = await running({ ui: { a: "${NAME}" } }, { [`${state}/.env`]: "NAME=one\n" });
  run.host.files.put(`${state}/.env`, "NAME=two\n");
  await run.host.clock.advance(300);
  assert.equal(run.opened.config.current().value.ui, { a: "two" });
});

test("the log follows: its level from the next line on, its file by being opened anew", async () => {
  const { run, edit, told } = await running();
  await edit({ logging: { consoleLevel: "error", level: "debug", file: "/var/log/claw.log" } });
  const { log } = run.opened;
  log.info("only in the file");
  log.debug("also in the file");
  await run.host.clock.advance(100);
  const text = run.host.files.snapshot()["/var/log/claw.log"] ?? "";
  assert.match(text, "config hot reload applied (logging)");
  assert.match(text, /only in the file[\s\S]*also in the file/);
  assert.not.ok(told("only in the file"));
  assert.not.match(run.host.files.snapshot()[`${state}/logs/gateway.log`] ?? "", "only in the file");
});

test("a gateway that stands by reads changes too, and leaves history and owner alone", async () => {
  const { run: owner } = await running();
  const standby = await started(["gateway", "--port", "19999"], otherProcess(owner.host));
  owner.host.files.put(file, textOf({ plugins: { a: 1 } }));
  await owner.host.clock.advance(700);
  assert.equal([owner.calls, standby.calls], [["restart"], ["restart"]]);
  assert.equal(standby.opened.config.current().value.plugins, { a: 1 });
  assert.is((await owner.opened.config.history()).length, 1);
});

test("nothing is watched or restarted after the end", async () => {
  const { run, edit } = await running();
  await edit({ plugins: { a: 1 } });
  await run.stop();
  await edit({ plugins: { a: 2 } });
  assert.equal(run.calls, ["close gateway stopping"]);
});

test.run();

type Edit = Readonly<Record<string, unknown>> & { readonly gateway?: object };

function textOf(config: Edit): string {
  return JSON.stringify({ ...config, gateway: { mode: "local", ...config.gateway } });
}

interface Running {
  readonly run: Foreground;
  /** Saves the file, and waits until that counts. */
  readonly edit: (config: Edit) => Promise<void>;
  /** Whether the console has this text. */
  readonly told: (text: string) => boolean;
}

async function running(config: Edit = {}, files: Readonly<Record<string, string>> = {}): Promise<Running> {
  const run = await started(["gateway"], machine({ files: { ...files, [file]: textOf(config) } }));
  await run.host.clock.advance(300);
  return {
    run,
    async edit(next) {
      const text = textOf(next);
      run.host.files.put(file, text);
      await run.host.clock.advance(300);
      // Its hash is computed beside this thread; a file that is not read at all stays another one, however long one waits.
      const read = (): boolean => {
        const { raw, rejected } = run.opened.config.current();
        return (rejected ? rejected.raw : raw) === text;
      };
      const patience = performance.now() + 1000;
      while (!read() && performance.now() < patience) await settle();
      await settle();
    },
    told: (text) => run.stdout().includes(text) || run.host.terminal.stderr.text.includes(text),
  };
}
