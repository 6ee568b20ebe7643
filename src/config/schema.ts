import * as v from "valibot";
import { agentsSection } from "./sections/agents.ts";
import { browserSection } from "./sections/browser.ts";
import { cronSection, hooksSection } from "./sections/automation.ts";
import { diagnosticsSection } from "./sections/diagnostics.ts";
import { discoverySection } from "./sections/discovery.ts";
import { gatewaySection } from "./sections/gateway.ts";
import { authSection, modelsSection } from "./sections/models.ts";
import { type KeyMetadata, opaque } from "./sections/section.ts";
import { messagesSection, sessionSection } from "./sections/session.ts";
import { commandsSection, envSection, loggingSection } from "./sections/system.ts";
import { toolsSection } from "./sections/tools.ts";

/** The whole configuration, assembled from its sections. Keys that it does not know are kept. */
export const configSchema = v.looseObject({
  gateway: v.pipe(v.optional(gatewaySection, {}), v.description("Where the gateway listens and who gets in.")),
  agents: v.pipe(v.optional(agentsSection, {}), v.description("The agents.")),
  models: v.pipe(v.optional(modelsSection, {}), v.description("Model providers.")),
  channels: v.pipe(
    v.optional(v.record(v.string(), v.unknown(), "an object of channels by name"), {}),
    v.description("Chat networks by name."),
    v.metadata({ reload: "part" } satisfies KeyMetadata),
  ),
  session: v.pipe(v.optional(sessionSection, {}), v.description("How messages are gathered into sessions.")),
  commands: v.pipe(v.optional(commandsSection, {}), v.description("What may be asked for in chats.")),
  logging: v.pipe(v.optional(loggingSection, {}), v.description("Logs.")),
  discovery: v.pipe(v.optional(discoverySection, {}), v.description("How the gateway is found on the network.")),
  env: v.pipe(v.optional(envSection, {}), v.description("Variables for ${NAME} in this file.")),
  messages: v.pipe(v.optional(messagesSection, {}), v.description("Replies, reactions and queueing.")),
  auth: v.pipe(v.optional(authSection, {}), v.description("Credentials for model providers.")),
  bindings: opaque("Which agent answers where.", "live"),
  broadcast: opaque("Chats that several agents answer.", "live"),
  tools: v.pipe(v.optional(toolsSection, {}), v.description("What agents may do.")),
  approvals: opaque("Where approvals are asked for.", "live"),
  cron: v.pipe(v.optional(cronSection, {}), v.description("Scheduled jobs.")),
  hooks: v.pipe(
    v.optional(hooksSection, {}),
    v.description("What other programs may tell the gateway over HTTP, and what it does of its own at events."),
  ),
  secrets: opaque("Where credentials come from.", "restart"),
  skills: opaque("Skills.", "live"),
  plugins: opaque("Plugins.", "restart"),
  memory: opaque("Long-term memory.", "restart"),
  browser: v.pipe(v.optional(browserSection, {}), v.description("The web browser that agents may use.")),
  canvasHost: opaque("The canvas server.", "restart"),
  talk: opaque("Speech.", "live"),
  audio: opaque("Transcription.", "restart"),
  media: opaque("Media.", "restart"),
  ui: opaque("Look of the apps.", "live"),
  web: opaque("The WhatsApp connection.", "part"),
  nodeHost: opaque("This machine as a node.", "restart"),
  diagnostics: v.pipe(v.optional(diagnosticsSection, {}), v.description("What the gateway tells about itself.")),
  update: opaque("Updates.", "live"),
  meta: opaque("Stamps of the programs that wrote this file.", "none"),
  wizard: opaque("Stamps of the set-up.", "none"),
  bridge: opaque("No longer used.", "restart"),
  $schema: opaque("Format of this file, for editors.", "none"),
});

/** The configuration in force, typed, with defaults. */
export type Config = v.InferOutput<typeof configSchema>;
