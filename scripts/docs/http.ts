import { routes } from "../../src/routes/index.ts";
import { lookUp } from "../../src/config/describe.ts";
import { code, page, prose, table } from "./markdown.ts";

const hooksPath = String(lookUp("hooks.path")?.schema["default"]);

/** The page of HTTP routes. */
export function httpPage(): string {
  return page([
    "# HTTP routes",
    "On the gateway's one port. A WebSocket is opened by an upgrade on any path. What is not listed here, nor opened by the configuration as below, is answered 404.",
    table(
      ["path", "methods", "answers"],
      routes.map(({ path, methods, summary }) => [code(path), methods.join(", "), prose(summary)]),
    ),
    "## Opened by the configuration",
    `Hooks, with \`hooks.enabled\` and a \`hooks.token\` of their own, are below \`hooks.path\` (${code(hooksPath)}). Each proves itself by \`Authorization: Bearer <hooks.token>\` or \`x-openclaw-token\`; an \`Idempotency-Key\` makes the same call again do nothing. The body is JSON.`,
    table(
      ["path", "methods", "answers"],
      [
        [code(`${hooksPath}/wake`), "POST", "Tells the main session `text`, at once or with its next turn (`mode`)."],
        [
          code(`${hooksPath}/agent`),
          "POST",
          "Has an agent answer `message` in a session of its own: 202 with its `runId`.",
        ],
        [code(`${hooksPath}/<name>`), "POST", "What `hooks.mappings` and `hooks.presets` make of the body."],
      ],
    ),
    "Chat networks that bring messages by HTTP do so at the account's `webhookPath` ([chat networks](channels.md)): the network proves itself by its own signature or secret.",
  ]);
}
