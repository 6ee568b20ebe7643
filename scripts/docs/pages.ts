import { readFileSync } from "node:fs";
import { channelsPage } from "./channels.ts";
import { commandsPage } from "./commands.ts";
import { configPage } from "./config.ts";
import { environmentPage } from "./environment.ts";
import { errorsPage } from "./errors.ts";
import { eventsPage } from "./events.ts";
import { httpPage } from "./http.ts";
import { manual } from "./manual.ts";
import { withLayers } from "./picture.ts";
import { page } from "./markdown.ts";
import { methodsPage } from "./methods.ts";
import { statePage } from "./state.ts";

/** Every file that is made from the code's own tables, by its path in the repository. */
export async function pages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ["docs/reference/README.md", indexPage()],
    ["docs/reference/channels.md", await channelsPage()],
    ["docs/reference/commands.md", await commandsPage()],
    ["docs/reference/config.md", configPage()],
    ["docs/reference/environment.md", environmentPage()],
    ["docs/reference/errors.md", errorsPage()],
    ["docs/reference/events.md", eventsPage()],
    ["docs/reference/http.md", httpPage()],
    ["docs/reference/methods.md", methodsPage()],
    ["docs/reference/state.md", statePage()],
    ["docs/clawlet.1", await manual()],
    ["docs/architecture.md", withLayers(readFileSync("docs/architecture.md", "utf8"))],
  ]);
}

function indexPage(): string {
  return page([
    "# Reference",
    "Made from the tables that the program itself works by: `npm run docs` writes these pages anew, and a test compares them.",
    [
      "- [Chat networks](channels.md): the settings of each, in the section `channels`",
      "- [Commands](commands.md): every command, its options and examples",
      "- [Configuration](config.md): every key with its type, its default and what a change does",
      "- [Environment variables](environment.md)",
      "- [Methods](methods.md): what clients may ask, with scope, parameters and result",
      "- [Events](events.md): what clients are told; protocol version, scopes and limits",
      "- [HTTP routes](http.md)",
      "- [Errors](errors.md): error codes, refused connects, close codes, exit statuses",
      "- [The state folder](state.md): what lies where, and what a backup takes",
    ].join("\n"),
    "Guides: [chat networks](../guides/channels.md), [configuration](../guides/configuration.md), [discovery](../guides/discovery.md), [remote access](../guides/remote.md), [TLS](../guides/tls.md), [Tailscale](../guides/tailscale.md). How it is built: [architecture](../architecture.md).",
  ]);
}
