/** The guides that help refers to, by their names in docs/guides; they come with the package. */
export const guides = {
  start: "In the foreground, in the background, and when it does not start.",
  configuration: "The configuration file, and what an edit does.",
  discovery: "Bonjour (mDNS) and DNS: how gateways are found.",
  remote: "A gateway on another machine: ways to reach it.",
  tls: "Encryption on the gateway's own port.",
  webchat: "The web page: what it needs, and how others are let in.",
  tailscale: "Serve and Funnel: a name of its own in the tailnet.",
  tools: "What agents may do: files, the browser, chats, jobs.",
  automation: "While you are away: jobs, heartbeats, calls of other programs, hooks.",
  channels: "Chat networks: how each is set up, who may write, and what is not there.",
} as const;

export type GuideName = keyof typeof guides;
