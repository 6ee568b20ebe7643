import { agentFileMethods } from "./agent-files.ts";
import { agentRunMethods } from "./agent-run.ts";
import { agentMethods } from "./agents.ts";
import { approvalMethods } from "./approvals.ts";
import { channelPairingMethods } from "./channels-pairing.ts";
import { channelMethods } from "./channels.ts";
import { chatHistoryMethods } from "./chat-history.ts";
import { chatMetadataMethods } from "./chat-metadata.ts";
import { chatToolTitleMethods } from "./chat-tool-titles.ts";
import { chatMethods } from "./chat.ts";
import { commandMethods } from "./commands.ts";
import { configMethods } from "./config.ts";
import { cronMethods } from "./cron.ts";
import { deviceScopeMethods } from "./devices-scopes.ts";
import { deviceSetupMethods } from "./devices-setup.ts";
import { deviceMethods } from "./devices.ts";
import { healthMethods } from "./health.ts";
import { identityMethods } from "./identity.ts";
import { jobMethods } from "./jobs.ts";
import { logMethods } from "./logs.ts";
import { modelMethods } from "./models.ts";
import { nodeHostMethods } from "./node-host.ts";
import { nodeMethods } from "./nodes.ts";
import { restartMethods } from "./restart.ts";
import { sendMethods } from "./send.ts";
import { sessionBranchMethods } from "./session-branch.ts";
import { sessionBranchesMethods } from "./session-branches.ts";
import { sessionCleanupMethods } from "./session-cleanup.ts";
import { sessionCompactMethods } from "./session-compact.ts";
import { sessionCompactionMethods } from "./session-compactions.ts";
import { sessionCreateMethods } from "./session-create.ts";
import { sessionEditMethods } from "./session-edit.ts";
import { sessionFindMethods } from "./session-find.ts";
import { sessionResolveMethods } from "./session-resolve.ts";
import { sessionRunMethods } from "./session-run.ts";
import { sessionTransferMethods } from "./session-transfer.ts";
import { sessionUsageMethods } from "./session-usage.ts";
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
  ...restartMethods,
  ...identityMethods,
  ...logMethods,
  ...configMethods,
  ...deviceMethods,
  ...deviceSetupMethods,
  ...deviceScopeMethods,
  ...nodeMethods,
  ...nodeHostMethods,
  ...modelMethods,
  ...agentMethods,
  ...agentFileMethods,
  ...agentRunMethods,
  ...sessionMethods,
  ...sessionFindMethods,
  ...sessionResolveMethods,
  ...sessionCreateMethods,
  ...sessionEditMethods,
  ...sessionBranchMethods,
  ...sessionBranchesMethods,
  ...sessionCompactMethods,
  ...sessionCompactionMethods,
  ...sessionCleanupMethods,
  ...sessionRunMethods,
  ...sessionTransferMethods,
  ...chatMethods,
  ...chatHistoryMethods,
  ...chatMetadataMethods([...modelMethods, ...commandMethods]),
  ...chatToolTitleMethods,
  ...sendMethods,
  ...channelMethods,
  ...channelPairingMethods,
  ...usageMethods,
  ...sessionUsageMethods,
  ...commandMethods,
  ...toolMethods,
  ...approvalMethods,
  ...cronMethods,
  ...jobMethods,
] as const;
