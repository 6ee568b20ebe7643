import type { ChannelKind } from "./channel.ts";

/** A chat network before its code is loaded: a gateway loads those that its configuration names. */
export interface ChannelEntry {
  readonly id: string;
  readonly label: string;
  load(): Promise<ChannelKind>;
}

/** Every chat network, in the order in which people are offered them. */
export const channels: readonly ChannelEntry[] = [
  { id: "telegram", label: "Telegram", load: async () => (await import("./telegram.ts")).telegram },
  {
    id: "whatsapp",
    label: "WhatsApp (Business Cloud API)",
    load: async () => (await import("./whatsapp.ts")).whatsapp,
  },
  { id: "discord", label: "Discord", load: async () => (await import("./discord.ts")).discord },
  { id: "googlechat", label: "Google Chat", load: async () => (await import("./googlechat.ts")).googlechat },
  { id: "msteams", label: "Microsoft Teams", load: async () => (await import("./msteams.ts")).msteams },
  {
    id: "nextcloud-talk",
    label: "Nextcloud Talk",
    load: async () => (await import("./nextcloud-talk.ts")).nextcloudTalk,
  },
  { id: "bluebubbles", label: "BlueBubbles", load: async () => (await import("./bluebubbles.ts")).bluebubbles },
  { id: "line", label: "LINE", load: async () => (await import("./line.ts")).line },
  { id: "synology-chat", label: "Synology Chat", load: async () => (await import("./synology-chat.ts")).synologyChat },
  { id: "slack", label: "Slack", load: async () => (await import("./slack.ts")).slack },
  { id: "signal", label: "Signal", load: async () => (await import("./signal.ts")).signal },
  { id: "imessage", label: "iMessage", load: async () => (await import("./imessage.ts")).imessage },
  { id: "mattermost", label: "Mattermost", load: async () => (await import("./mattermost.ts")).mattermost },
  { id: "matrix", label: "Matrix", load: async () => (await import("./matrix.ts")).matrix },
  { id: "irc", label: "IRC", load: async () => (await import("./irc.ts")).irc },
  { id: "twitch", label: "Twitch", load: async () => (await import("./twitch.ts")).twitch },
  { id: "zalo", label: "Zalo", load: async () => (await import("./zalo.ts")).zalo },
];
