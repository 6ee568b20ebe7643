import { test } from "uvu";
import * as assert from "uvu/assert";
import { describeKeys } from "../../src/config/describe.ts";
import { effectOf, reloadKind, restartKeys } from "../../src/config/reload.ts";

/** cli.md 2.9, where 2.4 knows better (what a newer gateway takes up while it runs), by that; the longest prefix decides. */
const table = {
  part: "hooks browser cron agents.defaults.heartbeat web channels logging.file logging.maxFileBytes",
  live: `agents models messages session logging skills ui talk bindings tools commands approvals broadcast update
    gateway.auth.token gateway.auth.password gateway.auth.rateLimit gateway.auth.trustedProxy
    gateway.controlUi.allowedOrigins gateway.nodes.pairing gateway.publicOrigin`,
  restart: `gateway discovery canvasHost plugins bridge auth env secrets memory audio media nodeHost diagnostics`,
  none: "gateway.remote gateway.reload wizard meta $schema",
};

test("every key of the schema needs what the table says, and every line of the table is about one", () => {
  const lines = Object.entries(table).flatMap(([effect, keys]) => keys.split(/\s+/).map((key) => ({ key, effect })));
  const used = new Set<string>();
  const wrong = describeKeys().flatMap(({ path }) => {
    const fitting = lines.filter(({ key }) => path === key || path.startsWith(`${key}.`) || path.startsWith(`${key}[`));
    const [line] = fitting.toSorted((a, b) => b.key.length - a.key.length);
    if (line) used.add(line.key);
    return line?.effect === effectOf(path) ? [] : [`${path}: ${effectOf(path)}, not ${line?.effect ?? "in the table"}`];
  });
  assert.equal(wrong, []);
  assert.equal(
    lines.map(({ key }) => key).filter((key) => !used.has(key)),
    [],
  );
});

test("what the schema does not know goes with what holds it, and needs a restart at the top", () => {
  for (const path of ["nope", "toString", "gateway.nope.deeper", "routing.x"])
    assert.is(effectOf(path), "restart", path);
  assert.is(effectOf("agents.nope"), "live");
  assert.is(effectOf('channels["a.b"].token'), "part");
  assert.is(effectOf("agents.list[0].nope"), "live");
  assert.equal(["live", "part", "restart", "none"], ["ui.x", "cron.x", "gateway.port", "meta.x"].map(effectOf));
  assert.equal(["hot", "hot", "restart", "none"], ["ui.x", "cron.x", "gateway.port", "meta.x"].map(reloadKind));
});

test("the mode decides which changes restart; who asks for the restart gets it in any mode", () => {
  const changed = ["ui.x", "cron.x", "gateway.port", "meta.x"];
  assert.equal(restartKeys(changed, "hybrid", false), ["gateway.port"]);
  assert.equal(restartKeys(changed, "restart", false), ["ui.x", "cron.x", "gateway.port"]);
  for (const mode of ["hot", "off"] as const) {
    assert.equal(restartKeys(changed, mode, false), []);
    assert.equal(restartKeys(changed, mode, true), ["gateway.port"]);
  }
});

test.run();
