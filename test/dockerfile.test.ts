import { existsSync, readFileSync } from "node:fs";
import { validate, ValidationSeverity } from "dockerfile-utils";
import { test } from "uvu";
import * as assert from "uvu/assert";

const text = readFileSync("Dockerfile", "utf8");
const instructions = text
  .replace(/^\s*#.*\n/gm, "")
  .replace(/\s*\\\n\s*/g, " ")
  .split("\n")
  .flatMap((line) => {
    const [, word = "", rest = ""] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    return word === "" ? [] : [{ word, rest }];
  });
const last = instructions.slice(instructions.findLastIndex(({ word }) => word === "FROM"));
const of = (word: string) => last.filter((each) => each.word === word).map(({ rest }) => rest);

test("the Dockerfile passes a linter", () => {
  const found = validate(text, {
    deprecatedMaintainer: ValidationSeverity.ERROR,
    directiveCasing: ValidationSeverity.ERROR,
    emptyContinuationLine: ValidationSeverity.ERROR,
    instructionCasing: ValidationSeverity.ERROR,
    instructionCmdMultiple: ValidationSeverity.ERROR,
    instructionEntrypointMultiple: ValidationSeverity.ERROR,
    instructionHealthcheckMultiple: ValidationSeverity.ERROR,
    instructionJSONInSingleQuotes: ValidationSeverity.ERROR,
    instructionWorkdirRelative: ValidationSeverity.ERROR,
  });
  assert.equal(
    found.map(({ message, range }) => [range.start.line + 1, message]),
    [],
  );
});

test("what is shipped has nothing but the program, and is not root", () => {
  assert.equal(of("FROM"), ["scratch"]);
  assert.equal(of("RUN"), []);
  const [user = ""] = of("USER");
  assert.match(user, /^[1-9]\d*:0$/, "a number, so that a cluster sees that it is not root");
});

test("the program gets its signals itself, and no shell is needed", () => {
  for (const word of ["ENTRYPOINT", "CMD", "VOLUME"])
    for (const rest of of(word)) assert.ok(Array.isArray(JSON.parse(rest)), `${word} ${rest}`);
  assert.match(of("HEALTHCHECK")[0] ?? "", / CMD \["\/clawlet", "gateway", "health"\]$/);
});

test("state is in a volume, the port is told, and no secret is in a layer", () => {
  const home = of("ENV")
    .map((rest) => /^HOME=(.+)$/.exec(rest)?.[1])
    .find((path) => path !== undefined);
  assert.equal(of("VOLUME"), [JSON.stringify([home])]);
  assert.equal(of("EXPOSE"), ["18789"]);
  const given = instructions.filter(({ word }) => word === "ENV" || word === "ARG").map(({ rest }) => rest);
  assert.equal(
    given.filter((rest) => /token|password|secret|key/i.test(rest)),
    [],
  );
});

test("everything that is copied from the build's context is there and not ignored, and nothing is fetched by ADD", () => {
  const ignored = readFileSync(".dockerignore", "utf8").split("\n");
  const allowed = ignored.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  const copied = instructions
    .filter(({ word, rest }) => word === "COPY" && !rest.includes("--from="))
    .flatMap(({ rest }) => rest.split(" ").slice(0, -1));
  assert.ok(ignored.includes("*"));
  assert.equal(copied.toSorted(), allowed.toSorted());
  assert.ok(copied.every((path) => existsSync(path)));
  assert.not(instructions.some(({ word }) => word === "ADD"));
});

test.run();
