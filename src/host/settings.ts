/**
 * The product's own environment variables by their names without prefix, each with what it says. `OPENCLAW_` or
 * `CLAWDBOT_` comes before the name: both are read, the one of the name that the program was called by first.
 */
export const settings = {
  PROFILE: "The profile, as `--profile` names it.",
  STATE_DIR: "The state folder.",
  CONFIG_PATH: "The configuration file.",
  INCLUDE_ROOTS: "Folders beside the configuration's own that `$include` may read from, separated as in PATH.",
  GATEWAY_PORT: "The port, before `gateway.port`.",
  GATEWAY_URL: "The gateway that commands talk to, as `--url` names it.",
  GATEWAY_TOKEN: "The shared token: for a gateway the one that clients send, for a command the one to send.",
  GATEWAY_PASSWORD: "The shared password, likewise.",
  SAFE_MODE: "`on` starts in safe mode, `off` never does; `auto`, the default, after five starts that failed fast.",
  RAW_STREAM: "`1` keeps what models say as it comes, private text included.",
  RAW_STREAM_PATH: "Where that is kept, in place of logs/raw-stream.jsonl.",
  SKIP_CHANNELS: "`1` opens no chat network.",
  SKIP_CRON: "`1` runs no scheduled jobs and no heartbeats.",
  DISABLE_BONJOUR: "`1` announces nothing by mDNS.",
  MDNS_HOSTNAME: "The host name to announce by mDNS, in place of the machine's own.",
  SSH_PORT: "The port of the machine's SSH server, announced for tunnels.",
  CLI_PATH: "The path of this program, announced for tunnels.",
  TAILNET_DNS: "The machine's name in the tailnet, in place of what Tailscale says.",
  WIDE_AREA_DOMAIN: "The domain of wide-area discovery, after `discovery.wideArea.domain`.",
  WIDE_AREA_SERVER: "The DNS server to ask for that domain, as `gateway discover --server` names it.",
  LAUNCHD_LABEL: "The name of the launchd service, in place of the usual one.",
  SYSTEMD_UNIT: "The name of the systemd unit, likewise.",
  WINDOWS_TASK_NAME: "The name of the scheduled task on Windows, likewise.",
  SERVICE_ENV_FILE: "Set by `gateway install`: the file with the service's secrets.",
  SERVICE_KIND: "Set by `gateway install`: `gateway` in the service's own process.",
} as const;

export type SettingName = keyof typeof settings;
