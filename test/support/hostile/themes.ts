import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type GatewayProcess, startGateway } from "../gateway-process.ts";
import { runtime } from "../runtime.ts";
import { reasonToSkip, type Target, withstood } from "./attack.ts";
import { attacks } from "./index.ts";
import { canaries, planted, token } from "./planted.ts";
import { goodClient } from "./session.ts";

/** Runs each theme against a gateway of its own, and sees after each attack that a good client is still served. */
export function testThemes(themes: readonly string[]): void {
  for (const theme of themes) {
    const test = suite<{ gateway: GatewayProcess; target: Target }>(theme);
    test.before(async (context) => {
      context.gateway = await startGateway({ config: planted, args: [] });
      context.target = targetOf(context.gateway);
    });
    for (const attack of attacks[theme] ?? []) {
      const why = reasonToSkip(attack, sample);
      if (why !== undefined) {
        process.stdout.write(`${attack.name}: skipped: ${why}\n`);
        test.skip(attack.name);
        continue;
      }
      test(attack.name, async ({ target }) => {
        const seen = await attack.run(target);
        assert.ok(withstood(attack, seen), `expected ${String(attack.expected)}, saw ${seen}`);
        assert.is(await goodClient(target), "served");
      });
    }
    test.after(async ({ gateway }) => void (await gateway.stop()));
    test.run();
  }
}

/** What every gateway started here has, to know before it is started what cannot be tried. */
const sample: Target = { url: "", token, pid: 0, runtime, own: { canaries, logs: () => [] } };

function targetOf(gateway: GatewayProcess): Target {
  const { url, pid } = gateway;
  const logs = (): readonly string[] => [
    gateway.stdout(),
    gateway.stderr(),
    ...filesIn(join(gateway.home, ".openclaw")),
  ];
  return { ...sample, url, pid, own: { canaries, logs } };
}

/** Every log in the state folder. */
function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(log|jsonl)(\.\d+)?$/.test(file))
    .map((file) => readFileSync(join(folder, file), "utf8"));
}
