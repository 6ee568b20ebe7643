import { test } from "uvu";
import * as assert from "uvu/assert";
import { createOutput, toJson } from "../../src/cli/output.ts";
import { scriptedHost } from "../support/host.ts";

const red = (options: Parameters<typeof scriptedHost>[0], flags = { json: false, noColor: false }) =>
  createOutput(scriptedHost(options), flags).style.red("x") !== "x";

test("SC-181 colour on a terminal, none in a pipe", () => {
  assert.ok(red({ interactive: true }));
  assert.not(red({}));
});

test("SC-183 --no-color, NO_COLOR, TERM=dumb and --json leave colour out; FORCE_COLOR asks for it", () => {
  assert.not(red({ interactive: true }, { json: false, noColor: true }));
  assert.not(red({ interactive: true, env: { NO_COLOR: "1" } }));
  assert.not(red({ interactive: true, env: { TERM: "dumb" } }));
  assert.not(red({ interactive: true }, { json: true, noColor: false }));
  assert.ok(red({ env: { FORCE_COLOR: "1" } }));
  assert.not(red({ env: { FORCE_COLOR: "0" }, interactive: true }));
});

test("SC-182 with --json nothing but data reaches stdout", () => {
  const host = scriptedHost();
  const output = createOutput(host, { json: true, noColor: false });
  output.print("for people");
  output.data({ ok: true }, { line: true });
  assert.is(host.terminal.stdout.text, '{"ok":true}\n');
});

test("threat: JSON on a terminal holds no control characters and parses to the same", () => {
  const value = { name: "a\u001b\u009b1m\u202e" };
  const text = toJson(value, 0);
  for (const character of ["\u001b", "\u009b", "\u202e"]) assert.not(text.includes(character));
  assert.equal(JSON.parse(text), value);
});

test("progress is said on stderr after a second, to a person only, and wiped away", async () => {
  for (const interactive of [true, false]) {
    const host = scriptedHost({ interactive });
    const output = createOutput(host, { json: false, noColor: false });
    let finish: () => void = () => undefined;
    const work = new Promise<void>((resolve) => (finish = resolve));
    const shown = output.progress("Waiting", work);
    await host.clock.advance(900);
    assert.is(host.terminal.stderr.text, "");
    await host.clock.advance(300);
    assert.is(host.terminal.stderr.text.includes("Waiting"), interactive);
    finish();
    await shown;
    assert.is(host.terminal.stderr.text.endsWith("\r\u001b[K"), interactive);
    assert.is(host.clock.armed, 0);
    assert.is(host.terminal.stdout.text, "");
  }
});

test.run();
