import * as v from "valibot";
import { agentsSection } from "./sections/agents.ts";
import { gatewaySection } from "./sections/gateway.ts";
import { authSection, modelsSection } from "./sections/models.ts";
import { opaque } from "./sections/section.ts";
import { messagesSection, sessionSection } from "./sections/session.ts";
import { commandsSection, discoverySection, envSection, loggingSection } from "./sections/system.ts";

/** The whole configuration, assembled from its sections. Keys that it does not know are kept. */
export const configSchema = v.looseObject({
  gateway: v.pipe(v.optional(gatewaySection, {}), v.description("Where the gateway listens and who gets in.")),
  agents: v.pipe(v.optional(agentsSection, {}), v.description("The agents.")),
  models: v.pipe(v.optional(modelsSection, {}), v.description("Model providers.")),
  channels: v.pipe(
    v.optional(v.record(v.string(), v.unknown(), "an object of channels by name"), {}),
    v.description("Chat networks by name."),
  ),
  session: v.pipe(v.optional(sessionSection, {}), v.description("How messages are gathered into sessions.")),
  commands: v.pipe(v.optional(commandsSection, {}), v.description("What may be asked for in chats.")),
  logging: v.pipe(v.optional(loggingSection, {}), v.description("Logs.")),
  discovery: v.pipe(v.optional(discoverySection, {}), v.description("How the gateway is found on the network.")),
  env: v.pipe(v.optional(envSection, {}), v.description("Variables for ${NAME} in this file.")),
  messages: v.pipe(v.optional(messagesSection, {}), v.description("Replies, reactions and queueing.")),
  auth: v.pipe(v.optional(authSection, {}), v.description("Credentials for model providers.")),
  bindings: opaque("Which agent answers where."),
  broadcast: opaque("Chats that several agents answer."),
  tools: opaque("What agents may do."),
  approvals: opaque("Where approvals are asked for."),
  cron: opaque("Scheduled jobs."),
  hooks: opaque("Incoming HTTP hooks."),
  secrets: opaque("Where credentials come from."),
  skills: opaque("Skills."),
  plugins: opaque("Plugins."),
  memory: opaque("Long-term memory."),
  browser: opaque("The browser tool."),
  canvasHost: opaque("The canvas server."),
  talk: opaque("Speech."),
  audio: opaque("Transcription."),
  media: opaque("Media."),
  ui: opaque("Look of the apps."),
  web: opaque("The WhatsApp connection."),
  nodeHost: opaque("This machine as a node."),
  diagnostics: opaque("Diagnostics."),
  update: opaque("Updates."),
  meta: opaque("Stamps of the programs that wrote this file."),
  wizard: opaque("Stamps of the set-up."),
  bridge: opaque("No longer used."),
  $schema: opaque("Format of this file, for editors."),
});

/** The configuration in force, typed, with defaults. */
export type Config = v.InferOutput<typeof configSchema>;
