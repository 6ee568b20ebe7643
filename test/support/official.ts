import { readFileSync } from "node:fs";
import { Ajv, type ValidateFunction } from "ajv";

// The published schema of the protocol is the judge of what we send: what is checked here is what other people's
// clients were written against. A method or event that it leaves open is only checked as part of its frame.

/** Throws unless the payload is what the schema says that the method answers. */
export function checkResult(method: string, payload: unknown): void {
  check(`result of ${method}`, results[method], payload);
}

/** Throws unless the schema allows these parameters. */
export function checkParams(method: string, params: unknown): void {
  check(`params of ${method}`, parameters[method], params);
}

/** Throws unless the payload is what the schema says that the event carries. */
export function checkEvent(event: string, payload: unknown): void {
  check(`event ${event}`, events[event], payload);
}

/** Throws unless the frame is one; a response's payload and an event's are checked separately. */
export function checkFrame(frame: unknown): void {
  check("frame", "GatewayFrame", frame);
}

/** The payload of a successful `connect`. */
export function checkHello(payload: unknown): void {
  check("hello-ok", "HelloOk", payload);
}

/** The methods whose result the schema describes. */
export const described: readonly string[] = [
  "agent.identity.get",
  "agents.list",
  "channels.status",
  "commands.list",
  "config.schema",
  "config.schema.lookup",
  "device.scopes.requestUpgrade",
  "device.scopes.waitUpgrade",
  "device.token.rotate",
  "logs.tail",
  "models.list",
  "node.event",
  "node.pending.drain",
  "question.list",
  "skills.bins",
  "system-presence",
  "system.info",
  "tasks.list",
  "tools.catalog",
  "update.status",
];

/** Method to definition, or to a schema that refers to one, where the names do not follow from each other. */
const results: Readonly<Record<string, string | object>> = {
  ...Object.fromEntries(described.map((method) => [method, `${pascal(method)}Result`])),
  "agent.identity.get": "AgentIdentityResult",
  "config.schema": "ConfigSchemaResponse",
  "device.scopes.requestUpgrade": "ScopeUpgradeRegistration",
  "device.scopes.waitUpgrade": "ScopeUpgradeResult",
  "system-presence": { type: "array", items: { $ref: "#/definitions/PresenceEntry" } },
};

const parameters: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      ...described.filter((method) => method !== "system-presence"),
      "config.apply",
      "config.get",
      "config.patch",
      "config.set",
      "cron.list",
      "cron.status",
      "device.pair.approve",
      "device.pair.list",
      "device.pair.reject",
      "device.pair.remove",
      "device.pair.rename",
      "device.token.revoke",
      "models.authStatus",
      "node.describe",
      "node.list",
      "node.pair.approve",
      "node.pair.list",
      "node.pair.reject",
      "node.pair.remove",
      "node.pending.ack",
      "node.pluginTools.update",
      "node.rename",
      "node.skills.update",
      "sessions.list",
      "sessions.messages.subscribe",
      "sessions.messages.unsubscribe",
    ].map((method) => [method, `${pascal(method)}Params`]),
  ),
  connect: "ConnectParams",
  "agent.identity.get": "AgentIdentityParams",
  "device.scopes.requestUpgrade": "ScopeUpgradeRequest",
  "device.scopes.waitUpgrade": "ScopeUpgradeWait",
  "sessions.subscribe": "SessionsListParams",
};

const events: Readonly<Record<string, string | object>> = {
  tick: "TickEvent",
  shutdown: "ShutdownEvent",
  "device.pair.requested": "DevicePairRequestedEvent",
  "device.pair.resolved": "DevicePairResolvedEvent",
  presence: {
    type: "object",
    required: ["presence"],
    properties: { presence: { type: "array", items: { $ref: "#/definitions/PresenceEntry" } } },
  },
};

interface Schema {
  readonly definitions: Readonly<Record<string, unknown>>;
}

const { definitions } = JSON.parse(
  readFileSync("node_modules/@openclaw/gateway-protocol/protocol.schema.json", "utf8"),
) as Schema;
const ajv = new Ajv({ strict: false, allErrors: true });
const compiled = new Map<unknown, ValidateFunction>();

function check(what: string, definition: string | object | undefined, value: unknown): void {
  if (definition === undefined) return;
  const validate = compiled.get(definition) ?? compile(definition);
  // As it arrives: what JSON leaves out is not there.
  const sent: unknown = JSON.parse(JSON.stringify(value));
  if (validate(sent)) return;
  const errors = (validate.errors ?? []).map((error) => `${error.instancePath || "/"} ${error.message ?? ""}`);
  throw new Error(`${what} does not follow the official schema: ${[...new Set(errors)].join("; ")}`);
}

function compile(definition: string | object): ValidateFunction {
  if (typeof definition === "string" && !(definition in definitions))
    throw new Error(`the official schema has no definition ${definition}`);
  const root = typeof definition === "string" ? { $ref: `#/definitions/${definition}` } : definition;
  const validate = ajv.compile({ ...root, definitions });
  compiled.set(definition, validate);
  return validate;
}

/** `device.token.rotate` as the schema's names have it: `DeviceTokenRotate`. */
function pascal(method: string): string {
  return method.replace(/(?:^|[.-])([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
