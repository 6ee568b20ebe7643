import { test } from "uvu";
import * as assert from "uvu/assert";
import { renderSystemd } from "../../adapters/service/systemd-unit.ts";
import { unitDrift } from "../../src/service/drift.ts";
import type { ServiceUnit } from "../../src/service/service.ts";
import { canary, unitFor } from "../adapters/service/units.ts";

const unit = unitFor("systemd", { profile: "rescue" });
const filesOf = (which: ServiceUnit) => renderSystemd(which, "/unit.service");
const drift = (changes: Partial<ServiceUnit>, text?: (text: string) => string) => {
  const before = { ...unit, ...changes };
  const files = filesOf(before).map((file) => ({ ...file, text: text?.(file.text) ?? file.text }));
  return unitDrift({ ...before, files }, { unit, files: filesOf(unit) });
};

test("what is the same does not differ, nor does another version", () => {
  assert.equal(drift({}), []);
  assert.equal(drift({ description: "OpenClaw Gateway (profile: rescue, v0.0.9)" }), []);
});

test("another program, another port: both by their values", () => {
  assert.equal(
    drift({ program: ["/old/node", ...unit.program.slice(1, -1), "18789"] }).map(({ code }) => code),
    ["program", "port"],
  );
  assert.equal(drift({ program: [...unit.program.slice(0, -1), "18789"] }), [
    { code: "port", message: "port differs: 18789 installed, 19001 configured" },
  ]);
});

test("threat G: another token is noticed and not shown", () => {
  const name = "OPENCLAW_GATEWAY_TOKEN";
  for (const secrets of [{}, { [name]: "other-canary" }, { ...unit.secrets, OPENCLAW_GATEWAY_PASSWORD: "canary" }]) {
    const found = drift({ secrets });
    assert.equal(
      found.map(({ code }) => code),
      ["token"],
    );
    assert.not.match(JSON.stringify(found), /canary/);
    assert.not.match(JSON.stringify(found), canary);
  }
});

test("another variable is named; what is not ours is not shown", () => {
  const environment = { ...unit.environment, MY_KEY: "sekrit", OPENCLAW_STATE_DIR: "/elsewhere" };
  assert.equal(
    drift({ environment }).map(({ message }) => message),
    [
      "environment differs: MY_KEY is set in the installed one only",
      "OPENCLAW_STATE_DIR differs: /elsewhere installed, /home/me/.openclaw-rescue would be now",
    ],
  );
});

test("a file that somebody edited", () => {
  const [found] = drift({}, (text) => text.replace("Restart=always", "Restart=no"));
  assert.equal(found, {
    code: "unit",
    message: "file differs: /unit.service was edited, or written by another version",
  });
});

test.run();
