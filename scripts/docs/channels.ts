import type { JsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { commonSettings } from "../../src/channels/channel-policy.ts";
import { channels } from "../../src/channels/index.ts";
import { describeKeys, lookUp } from "../../src/config/describe.ts";
import { shapeWithNetworks } from "../../src/config/network-shapes.ts";
import { type Shape, shapeOf } from "../../src/config/shape.ts";
import { anchor, code, page, prose, table } from "./markdown.ts";
import { typeText } from "./schema.ts";

/** The page of what each chat network is set up with. */
export async function channelsPage(): Promise<string> {
  const whole = await shapeWithNetworks(channels);
  const common = rowsBelow("", shapeOf(v.object(commonSettings)));
  const isCommon = new Set(common.map(String));
  return page([
    "# Chat networks",
    "What stands under `channels.<network>` in [the configuration](config.md). More accounts of a network have a name each under `channels.<network>.accounts`, with the same keys: what an account does not say is as the network says it, but for what it signs in with. A _secret_ is masked wherever a client can read it. How to set one up is told in [the guide](../guides/channels.md).",
    channels.map(({ id, label }) => `- [${label}](#${anchor(label)}): ${code(`channels.${id}`)}`).join("\n"),
    "## Every network",
    "Each of them has these keys; where one means them otherwise, it lists them again.",
    table(head, common),
    ...channels.flatMap(({ id, label }) => [
      `## ${label}`,
      code(`channels.${id}`),
      table(
        head,
        rowsBelow(`channels.${id}.`, whole).filter((row) => !isCommon.has(String(row))),
      ),
    ]),
  ]);
}

/** A row for each key whose path begins so, without those of further accounts. */
function rowsBelow(prefix: string, shape: Shape): readonly (readonly string[])[] {
  return describeKeys(shape)
    .filter(({ path }) => path.startsWith(prefix) && !path.startsWith(`${prefix}accounts`))
    .map(({ path, help, secret, ...key }) => [
      code(path.slice(prefix.length)),
      prose(typeOf(lookUp(path, shape)?.schema ?? {})),
      key.default === undefined ? "" : code(JSON.stringify(key.default)),
      secret ? `${prose(help)} _Secret._` : prose(help),
    ]);
}

/** What is in an object has rows of its own. */
function typeOf(schema: JsonSchema): string {
  return schema.type === "object" ? "object" : typeText(schema);
}

const head = ["key", "type", "default", "says"];
