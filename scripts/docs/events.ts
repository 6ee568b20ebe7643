import { type EventKind, events } from "../../src/protocol/events.ts";
import { roles, scopes } from "../../src/protocol/scope.ts";
import { limits, OLDEST_PROTOCOL, PROTOCOL } from "../../src/protocol/version.ts";
import { code, page, prose, table } from "./markdown.ts";

/** The page of events, with the version, roles, scopes and limits of the protocol. */
export function eventsPage(): string {
  return page([
    "# Events",
    "What the gateway sends without being asked. A client gets those that its scopes allow.",
    table(
      ["event", "scope", "notes", "says"],
      Object.entries<EventKind>(events).map(([name, kind]) => [
        code(name),
        kind.scope === "none" ? "none" : code(kind.scope),
        [
          ...(kind.modern ? [`from version ${PROTOCOL} on`] : []),
          ...(kind.targeted ? ["to one connection, without `seq`"] : []),
          ...(kind.droppable ? ["left out for slow readers"] : []),
        ].join(", "),
        prose(kind.summary),
      ]),
    ),
    "## Protocol",
    `Version ${PROTOCOL}, and ${OLDEST_PROTOCOL} for older peers. Roles: ${roles.map(code).join(", ")}.`,
    `Scopes: ${scopes.map(code).join(", ")}.`,
    "## Limits",
    table(
      ["limit", "value"],
      [
        ["a message before the hello", bytes(limits.maxUntrusted)],
        ["a message after it", bytes(limits.maxPayload)],
        ["unsent to one client", bytes(limits.maxBuffered)],
        ["the body of an HTTP request", bytes(limits.maxBody)],
        ["time for the hello", seconds(limits.handshakeMs)],
        ["frames while `connect` is being decided", String(limits.pendingFrames)],
        ["`tick`", `every ${seconds(limits.tickMs)}`],
        ["`health`", `every ${seconds(limits.healthMs)}, and when it changes`],
        ["a ping", `every ${seconds(limits.pingMs)}`],
      ],
    ),
  ]);
}

function bytes(count: number): string {
  return `${count.toLocaleString("en-US")} bytes`;
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
