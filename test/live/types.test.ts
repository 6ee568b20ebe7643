import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { libraries } from "../../scripts/build/package.ts";
import { root, runtime } from "../support/runtime.ts";

// Declarations are the same whoever makes them, and it takes the compiler's time: once is enough.
const why = runtime === "bun" ? undefined : "needs Bun: one build of the declarations is enough for all";

if (why !== undefined) test("declarations", () => void process.stdout.write(`skipped: ${why}\n`));
else
  test("a program far from here, with strict checks of libraries too, is typed by the package alone", async () => {
    const { writeTypes } = await import("../../scripts/build/types.ts");
    const project = mkdtempSync(join(tmpdir(), "clawlet-consumer-"));
    const installed = join(project, "node_modules", "clawlet");
    mkdirSync(installed, { recursive: true });
    cpSync("package.json", join(installed, "package.json"));
    await writeTypes(join(installed, "dist"), libraries);
    const program = `
      import { createGateway, type EmbeddedGateway } from "clawlet";
      import { connect } from "clawlet/client";
      import { attach } from "clawlet/node";
      import { answer } from "clawlet/workerd";
      export async function use(gateway: EmbeddedGateway): Promise<boolean> {
        const { ok } = await (await gateway.connect()).call("health", {});
        return ok;
      }
      // @ts-expect-error: a store is no number
      void createGateway({ config: {}, store: 1 });
      export { answer, attach, connect };\n`;
    writeFileSync(join(project, "program.mts"), program);
    const options =
      "--noEmit --strict --target es2022 --lib es2023,dom,dom.iterable --module nodenext --types node".split(" ");
    const typeRoots = ["--typeRoots", join(root, "node_modules", "@types")];
    const { stdout } = spawnSync(join(root, "node_modules", ".bin", "tsc"), [...options, ...typeRoots, "program.mts"], {
      cwd: project,
      encoding: "utf8",
    });
    assert.is(stdout, "");
    rmSync(project, { recursive: true });
  });

test.run();
