import { routes } from "../../src/routes/index.ts";
import { code, page, prose, table } from "./markdown.ts";

/** The page of HTTP routes. */
export function httpPage(): string {
  return page([
    "# HTTP routes",
    "On the gateway's one port. A WebSocket is opened by an upgrade on any path. What is not listed here is answered 404.",
    table(
      ["path", "methods", "answers"],
      routes.map(({ path, methods, summary }) => [code(path), methods.join(", "), prose(summary)]),
    ),
  ]);
}
