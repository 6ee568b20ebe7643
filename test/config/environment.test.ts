import { test } from "uvu";
import * as assert from "uvu/assert";
import { environmentBlock, layered, parseDotEnv, substitute } from "../../src/config/environment.ts";

test("${NAME} is replaced in every text, and $${NAME} stands for itself", () => {
  const { value, findings } = substitute({ a: "x${A}y", b: ["$${A}", "$A", "${a}"] }, { A: "1" });
  assert.equal(value, { a: "x1y", b: ["${A}", "$A", "${a}"] });
  assert.equal(findings, []);
});

test("a variable that is unset or empty is a finding at its path", () => {
  const { findings } = substitute({ gateway: { auth: { token: "${NOPE_MISSING}" } }, x: ["${EMPTY}"] }, { EMPTY: "" });
  assert.equal(
    findings.map(({ path }) => path),
    [
      ["gateway", "auth", "token"],
      ["x", 0],
    ],
  );
  assert.match(
    findings[0]?.message ?? "",
    'Missing env var "NOPE_MISSING" referenced at config path: gateway.auth.token',
  );
});

test("what a variable holds is not looked into again", () => {
  assert.is(substitute("${A}", { A: "${B}", B: "secret" }).value, "${B}");
});

test("earlier sources win, and empty counts as unset", () => {
  const all = layered({ A: "1", B: "" }, { A: "2", B: "2" }, { A: "3", C: "3" });
  assert.equal([all["A"], all["B"], all["C"], all["toString"]], ["1", "2", "3", undefined]);
});

test("a .env file is read as shells write it", () => {
  const text = `# comment\nA=1\nexport B="two # words\\n" # why\r\nC='$x'\n D = plain text # c\nbad line\nE=\n`;
  assert.equal(parseDotEnv(text), { A: "1", B: "two # words\n", C: "$x", D: "plain text", E: "" });
});

test("the env section gives variables by name and under vars", () => {
  assert.equal(environmentBlock({ env: { A: "1", vars: { B: "2" }, shellEnv: { enabled: true } } }), {
    A: "1",
    B: "2",
  });
});

test.run();
