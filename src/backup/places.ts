/** What lies in a state folder. `<name>` stands for any name; a folder ends with `/`, and stands for all that is in it. */
export interface StatePlace {
  readonly path: string;
  readonly holds: string;
  /** Whoever reads it can come in, or use somebody's account. */
  readonly secret?: true;
}

/** Every file that the gateway or a command keeps in the state folder, for the reference. */
export const statePlaces: readonly StatePlace[] = [
  { path: "<product>.json", holds: "The configuration: `openclaw.json` or `clawdbot.json`.", secret: true },
  { path: ".env", holds: "Variables for `${NAME}` in the configuration, and keys of providers.", secret: true },
  { path: "config-history/", holds: "The last 20 versions of the configuration, for `config rollback`.", secret: true },
  { path: "identity/device.json", holds: "The gateway's own key pair.", secret: true },
  { path: "identity/device-auth.json", holds: "The tokens of this machine's own commands.", secret: true },
  { path: "devices/paired.json", holds: "The devices that may connect, with their tokens.", secret: true },
  { path: "devices/pending.json", holds: "The devices that wait for approval." },
  { path: "devices/bootstrap.json", holds: "Setup codes that were made and not used yet.", secret: true },
  { path: "nodes/paired.json", holds: "What nodes are approved for." },
  { path: "nodes/pending.json", holds: "What nodes wait to be approved for." },
  { path: "credentials/<channel>-pairing.json", holds: "Strangers who wrote through a channel and wait." },
  { path: "credentials/<channel>-allowFrom.json", holds: "Who may write through a channel." },
  { path: "credentials/<channel>-<account>-allowFrom.json", holds: "The same for one of several accounts." },
  { path: "agents/<agent>/agent/auth-profiles.json", holds: "Credentials of model providers.", secret: true },
  {
    path: "agents/<agent>/sessions/<session>.jsonl",
    holds: "A conversation: a line for each entry, with a checksum, only ever added to.",
  },
  {
    path: "agents/<agent>/sessions/<session>.jsonl.deleted.<time>",
    holds: "A conversation that was deleted: set aside, not destroyed.",
  },
  { path: "sessions/index.jsonl", holds: "What is known of each session; made again from the conversations if lost." },
  { path: "runs/journal.jsonl", holds: "Messages that were accepted, until their answers are in the conversation." },
  { path: "runs/outbox.jsonl", holds: "Messages on their way to chat networks, until these have taken them." },
  { path: "media/", holds: "Pictures and files that came with messages, or go with them." },
  { path: "usage/months.jsonl", holds: "What was spent in the months that are closed." },
  { path: "usage/ledger-<month>.jsonl", holds: "What was reserved and spent, request by request." },
  { path: "search/", holds: "The search index; made again from the conversations if lost." },
  { path: "unfinished/", holds: "Uploads that are not finished." },
  { path: "restart-sentinel.json", holds: "What sessions are told when a restart is over." },
  { path: "gateway/tls/", holds: "The certificate that the gateway made itself, and its key.", secret: true },
  { path: "dns/<domain>.db", holds: "The zone of wide-area discovery." },
  { path: "announced.json", holds: "The name under which the gateway announced itself last." },
  { path: "tailscale.json", holds: "What was published through Tailscale." },
  { path: "service.env", holds: "Secrets of the service, which are in no unit.", secret: true },
  { path: "gateway.cmd", holds: "What the scheduled task starts, on Windows." },
  { path: "gateway-task.xml", holds: "The scheduled task, on Windows." },
  { path: "completions/", holds: "Completion scripts of shells." },
  { path: "logs/gateway.log", holds: "The log, secrets masked; older ones beside it." },
  { path: "logs/gateway.err.log", holds: "What launchd or the Task Scheduler caught of the standard error." },
  { path: "logs/raw-stream.jsonl", holds: "What models said as it came, with `--raw-stream`. Private.", secret: true },
  { path: "logs/commands.log", holds: "Who gave which slash command, with the hook `command-logger`." },
  { path: "trash/", holds: "What `gateway --dev --reset` threw away." },
  { path: "workspace/", holds: "The default agent's workspace, under OpenClaw's name." },
  { path: "gateway.lock", holds: "Which process the folder belongs to." },
  { path: "config.lock", holds: "Which process is changing the configuration." },
  { path: "runtime.json", holds: "Where the gateway that runs can be reached." },
  { path: "starts.json", holds: "Starts that failed fast: what safe mode is decided by." },
];
