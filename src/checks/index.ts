import { channels } from "./channels.ts";
import type { Check } from "./check.ts";
import { clock } from "./clock.ts";
import { config } from "./config.ts";
import { conversations } from "./conversations.ts";
import { disk } from "./disk.ts";
import { exposure } from "./exposure.ts";
import { gateway } from "./gateway.ts";
import { hooks } from "./hooks.ts";
import { leftovers } from "./leftovers.ts";
import { models } from "./models.ts";
import { ownership } from "./ownership.ts";
import { permissions } from "./permissions.ts";
import { port } from "./port.ts";
import { runtimes } from "./runtimes.ts";
import { secrets } from "./secrets.ts";
import { service } from "./service.ts";
import { starts } from "./starts.ts";
import { tailscale } from "./tailscale.ts";
import { tls } from "./tls.ts";
import { workspace } from "./workspace.ts";

/** Every check, in the order in which people read what they found (cli.md 2.13). */
export const checks: readonly Check[] = [
  config,
  exposure,
  tls,
  tailscale,
  permissions,
  conversations,
  leftovers,
  ownership,
  runtimes,
  service,
  starts,
  port,
  secrets,
  disk,
  clock,
  models,
  channels,
  hooks,
  workspace,
  gateway,
];
