import type { JsonSchema } from "@valibot/to-json-schema";
import { describeKeys, lookUp } from "../../src/config/describe.ts";
import { effectOf } from "../../src/config/reload.ts";
import type { Effect } from "../../src/config/sections/section.ts";
import { code, linkTo, page, prose, table } from "./markdown.ts";
import { typeText } from "./schema.ts";

const effects: Readonly<Record<Effect, string>> = {
  live: "at once",
  part: "restarts its part",
  restart: "restart",
  none: "nothing",
};

/** The page of configuration keys. */
export function configPage(): string {
  const keys = describeKeys();
  const sections = keys.filter(({ path }) => !/[.[]/.test(path));
  return page([
    "# Configuration",
    "One JSON5 file: `~/.openclaw/openclaw.json` or `~/.clawdbot/clawdbot.json`; `clawlet config file` says which. Every key may be left out, and keys that are not listed here are kept as they are. `*` stands for any name, or for any place in a list.",
    "What a change does while the gateway runs stands under _change_: _at once_ is read on the next use, _restart_ starts the gateway anew in its process, once running turns have ended. A _secret_ is masked wherever a client can read it. How to write the file is told in [the guide](../guides/configuration.md).",
    table(
      ["section", "says"],
      sections.map(({ path, help }) => [linkTo(path), prose(help)]),
    ),
    ...sections.flatMap(({ path, help }) => {
      const inside = keys.filter((key) => key.path.startsWith(`${path}.`));
      return [
        `## ${path}`,
        prose(help),
        inside.length === 0
          ? `Change: ${effects[effectOf(path)]}.`
          : table(
              ["key", "type", "default", "change", "says"],
              inside.map((key) => [
                code(key.path),
                prose(typeText(schemaAt(key.path))),
                key.default === undefined ? "" : code(JSON.stringify(key.default)),
                effects[effectOf(key.path)],
                key.secret ? `${prose(key.help)} _Secret._` : prose(key.help),
              ]),
            ),
      ];
    }),
  ]);
}

function schemaAt(path: string): JsonSchema {
  return lookUp(path)?.schema ?? {};
}
