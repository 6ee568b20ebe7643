import { readMark } from "../gateway/publication-mark.ts";
import { leadsTo, type PublishMode } from "../tailscale/publication.ts";
import { createTailscale, type Tailscale } from "../tailscale/tailscale.ts";
import { troubleOf, type Trouble } from "../tailscale/trouble.ts";
import type { Check, CheckContext, Finding } from "./check.ts";

/** Whether Tailscale does what the configuration asks of it: runs, may publish, and leads to this gateway. */
export const tailscale: Check = {
  id: "tailscale",
  title: "Tailscale",
  async look(context) {
    const { mode } = context.config.snapshot.value.gateway.tailscale;
    const asked = createTailscale(context.host);
    return mode === "off" ? leftBehind(context, asked) : whatIsMissing(context, { mode, asked });
  },
};

const path = "gateway.tailscale.mode";

interface Wished {
  readonly mode: PublishMode;
  readonly asked: Tailscale;
}

async function whatIsMissing(context: CheckContext, { mode, asked }: Wished): Promise<Finding[]> {
  const { os } = context.host;
  const state = await asked.status();
  if (state.kind === "trouble") return [finding(state.trouble)];
  const { dnsName, https, funnel } = state;
  if (dnsName === undefined) return [finding(troubleOf("no-name", os))];
  if (https === false) return [finding(troubleOf("https-off", os))];
  if (mode === "funnel" && funnel === false) return [finding(troubleOf("funnel-denied", os))];
  return notPublished(context, { mode, asked });
}

/** Only a gateway that runs has anything published to be missed. */
async function notPublished({ gateway, program }: CheckContext, { mode, asked }: Wished): Promise<Finding[]> {
  const { running } = await gateway();
  const published = running && (await asked.publications());
  if (!running || !published) return [];
  const ours = published.filter((each) => leadsTo(each, running.port));
  if (ours.some(({ funnel }) => funnel === (mode === "funnel"))) return [];
  return [
    {
      code: "tailscale-not-published",
      level: "warning",
      message: `Tailscale ${mode === "serve" ? "Serve" : "Funnel"} does not lead to port ${running.port}, where the gateway is.`,
      path,
      command: `${program} gateway restart`,
    },
  ];
}

/** What an earlier start has published outlives it. */
async function leftBehind({ host, paths }: CheckContext, asked: Tailscale): Promise<Finding[]> {
  const mark = await readMark(host.files, paths.state);
  const published = mark && (await asked.publications());
  if (!mark || !published?.some((each) => leadsTo(each, mark.port))) return [];
  return [
    {
      code: "tailscale-still-published",
      level: "warning",
      message: `Tailscale still leads to port ${mark.port}, and ${path} is off.`,
      path,
      command: `tailscale ${mark.mode} reset`,
    },
  ];
}

function finding({ code, message, advice, fix }: Trouble): Finding {
  const sentence = `${message[0]?.toUpperCase()}${message.slice(1)}`;
  const isPage = fix.startsWith("https://");
  return {
    code: `tailscale-${code}`,
    level: "warning",
    message: `${sentence}: the gateway is reached from this machine only.${isPage ? ` To ${advice}: ${fix}` : ""}`,
    path,
    ...(isPage ? {} : { command: fix }),
  };
}
