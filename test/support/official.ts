import { readFileSync } from "node:fs";
import { Ajv, type ValidateFunction } from "ajv";

// The published schema of the protocol is the judge of what we send: what is checked here is what other people's
// clients were written against. A method or event that it leaves open is only checked as part of its frame.

interface Schema {
  readonly definitions: Readonly<Record<string, unknown>>;
}

const { definitions } = JSON.parse(
  readFileSync("node_modules/@openclaw/gateway-protocol/protocol.schema.json", "utf8"),
) as Schema;
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
  "agents.files.get",
  "agents.files.list",
  "agents.files.set",
  "agents.list",
  "channels.status",
  "chat.message.get",
  "commands.list",
  "config.schema",
  "config.schema.lookup",
  "cron.add",
  "device.pair.setupCode",
  "device.pair.setupStatus",
  "device.scopes.requestUpgrade",
  "device.scopes.waitUpgrade",
  "device.token.rotate",
  "logs.tail",
  "models.list",
  "node.event",
  "node.pending.drain",
  "question.list",
  "sessions.create",
  "sessions.delete",
  "sessions.fork",
  "sessions.patchMany",
  "sessions.resolve",
  "sessions.rewind",
  "sessions.search",
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
  "cron.get": "CronJob",
  "cron.list": { type: "object", properties: { jobs: { type: "array", items: { $ref: "#/definitions/CronJob" } } } },
  "cron.runs": {
    type: "object",
    properties: { entries: { type: "array", items: { $ref: "#/definitions/CronRunLogEntry" } } },
  },
  "cron.update": "CronJob",
  "device.scopes.requestUpgrade": "ScopeUpgradeRegistration",
  "device.scopes.waitUpgrade": "ScopeUpgradeResult",
  "system-presence": { type: "array", items: { $ref: "#/definitions/PresenceEntry" } },
  "chat.history": { anyOf: [{ required: ["sessionKey"] }, { $ref: "#/definitions/ChatHistoryCursorResult" }] },
  "sessions.describe": withRow("session", { anyOf: [{ $ref: "#/definitions/SessionRow" }, { type: "null" }] }),
  "sessions.list": withRow("sessions", { type: "array", items: { $ref: "#/definitions/SessionRow" } }),
  "sessions.patch": withRow("entry", { $ref: "#/definitions/SessionRow" }),
  "sessions.reset": withRow("entry", { $ref: "#/definitions/SessionRow" }),
};

/** An answer that the schema leaves open but for the rows in it. */
function withRow(name: string, schema: object): object {
  return { type: "object", required: [name], properties: { [name]: schema } };
}

/** A closed definition with further properties of any kind. */
function opened(name: string, more: readonly string[]): object {
  const definition = definitions[name] as { readonly properties: object };
  return {
    ...definition,
    properties: { ...definition.properties, ...Object.fromEntries(more.map((key) => [key, {}])) },
  };
}

const parameters: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      ...described.filter((method) => method !== "system-presence"),
      "agent",
      "agent.wait",
      "chat.abort",
      "chat.history",
      "chat.inject",
      "chat.metadata",
      "chat.send",
      "config.apply",
      "config.get",
      "config.patch",
      "config.set",
      "cron.get",
      "cron.list",
      "cron.remove",
      "cron.run",
      "cron.runs",
      "cron.status",
      "cron.update",
      "wake",
      "device.pair.approve",
      "device.pair.list",
      "device.pair.reject",
      "device.pair.remove",
      "device.pair.rename",
      "device.token.revoke",
      "message.action",
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
      "send",
      "sessions.abort",
      "sessions.cleanup",
      "sessions.compact",
      "sessions.describe",
      "sessions.list",
      "sessions.messages.subscribe",
      "sessions.messages.unsubscribe",
      "sessions.patch",
      "sessions.preview",
      "sessions.reset",
      "sessions.send",
    ].map((method) => [method, `${pascal(method)}Params`]),
  ),
  connect: "ConnectParams",
  "agent.identity.get": "AgentIdentityParams",
  "device.scopes.requestUpgrade": "ScopeUpgradeRequest",
  "device.scopes.waitUpgrade": "ScopeUpgradeWait",
  "sessions.subscribe": "SessionsListParams",
  "chat.startup": "ChatHistoryParams",
};

const events: Readonly<Record<string, string | object>> = {
  tick: "TickEvent",
  shutdown: "ShutdownEvent",
  // The schema is closed; the reference sends where it happens beside it, and clients need it (protocol.md 6.3).
  agent: opened("AgentEvent", ["sessionKey", "sessionId", "agentId"]),
  chat: "ChatEvent",
  "session.operation": "SessionOperationEvent",
  "device.pair.requested": "DevicePairRequestedEvent",
  "device.pair.resolved": "DevicePairResolvedEvent",
  "device.pair.setup.completed": "DevicePairSetupCompletedEvent",
  "device.pair.setup.deliveryUncertain": "DevicePairSetupDeliveryUncertainEvent",
  presence: {
    type: "object",
    required: ["presence"],
    properties: { presence: { type: "array", items: { $ref: "#/definitions/PresenceEntry" } } },
  },
};

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
