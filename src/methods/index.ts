import { agentMethods } from "./agents.ts";
import { approvalMethods } from "./approvals.ts";
import { channelMethods } from "./channels.ts";
import { commandMethods } from "./commands.ts";
import { configMethods } from "./config.ts";
import { deviceMethods } from "./devices.ts";
import { healthMethods } from "./health.ts";
import { identityMethods } from "./identity.ts";
import { jobMethods } from "./jobs.ts";
import { logMethods } from "./logs.ts";
import { modelMethods } from "./models.ts";
import { nodeHostMethods } from "./node-host.ts";
import { nodeMethods } from "./nodes.ts";
import { sessionMethods } from "./sessions.ts";
import { statusMethods } from "./status.ts";
import { systemMethods } from "./system.ts";
import { toolMethods } from "./tools.ts";
import { usageMethods } from "./usage.ts";

/** Every method that this gateway has. A name that is not here is answered with `unknown method`. */
export const methods = [
  ...healthMethods,
  ...statusMethods,
  ...systemMethods,
  ...identityMethods,
  ...logMethods,
  ...configMethods,
  ...deviceMethods,
  ...nodeMethods,
  ...nodeHostMethods,
  ...modelMethods,
  ...agentMethods,
  ...sessionMethods,
  ...channelMethods,
  ...usageMethods,
  ...commandMethods,
  ...toolMethods,
  ...approvalMethods,
  ...jobMethods,
] as const;
