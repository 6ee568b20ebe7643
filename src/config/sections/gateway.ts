import * as v from "valibot";
import { parseIp, parseNetwork } from "../../kit/ip.ts";
import { type KeyMetadata, port, secret, text, whole } from "./section.ts";

export const bindModes = ["loopback", "lan", "tailnet", "auto", "custom"] as const;
export const authModes = ["none", "token", "password", "trusted-proxy"] as const;
export const tailscaleModes = ["off", "serve", "funnel"] as const;

const address = v.pipe(
  v.string("an IP address in quotes"),
  v.check(
    (text) => (parseNetwork(text)?.bits ?? 0) > 0,
    "an IP address or a range such as 10.0.0.0/8 or fd00::/8 (not /0: that is everybody)",
  ),
);

const auth = v.looseObject({
  mode: v.pipe(
    v.optional(v.picklist(authModes)),
    v.description(
      "How clients prove who they are. Unset: token when one is known, else password when one is known, else none on loopback.",
    ),
    v.metadata({ whenWrong: "token" } satisfies KeyMetadata),
  ),
  token: v.pipe(
    v.optional(secret),
    v.description("Shared token that clients send. Long and random."),
    v.metadata({ reload: "live" } satisfies KeyMetadata),
  ),
  password: v.pipe(
    v.optional(secret),
    v.description("Shared password that clients send."),
    v.metadata({ reload: "live" } satisfies KeyMetadata),
  ),
  allowTailscale: v.pipe(
    v.optional(v.boolean()),
    v.description("Accept the identity that Tailscale Serve vouches for. Default: on with tailscale.mode serve."),
    v.metadata({ whenWrong: false } satisfies KeyMetadata),
  ),
  rateLimit: v.pipe(
    v.optional(
      v.looseObject({
        maxAttempts: v.pipe(
          v.optional(whole(1), 10),
          v.description("Failures in one window before an address is locked."),
        ),
        windowMs: v.pipe(v.optional(whole(1), 60_000), v.description("Length of the window in milliseconds.")),
        lockoutMs: v.pipe(
          v.optional(whole(1), 300_000),
          v.description("How long an address stays locked, in milliseconds."),
        ),
        exemptLoopback: v.pipe(
          v.optional(v.boolean(), false),
          v.description("Do not count failures from this machine. Browsers are counted all the same."),
        ),
      }),
      {},
    ),
    v.description("Limit on failed attempts to authenticate."),
    v.metadata({ reload: "live" } satisfies KeyMetadata),
  ),
  trustedProxy: v.pipe(
    v.optional(
      v.looseObject({
        userHeader: v.pipe(v.optional(text), v.description("Header in which the proxy names the user.")),
        requiredHeaders: v.pipe(
          v.optional(v.array(text, "a list of header names"), []),
          v.description("Headers that must be there as well before the proxy's word counts."),
        ),
        allowUsers: v.pipe(
          v.optional(v.array(text, "a list of users"), []),
          v.description("The users who may come in, spelled as the proxy spells them. Empty: every one it names."),
        ),
        allowLoopback: v.pipe(v.optional(v.boolean(), false), v.description("Accept a proxy on this machine.")),
      }),
    ),
    v.description("For auth.mode trusted-proxy: how the proxy says who the user is."),
    v.metadata({ reload: "live" } satisfies KeyMetadata),
  ),
});

const tailscale = v.looseObject({
  mode: v.pipe(
    v.optional(v.picklist(tailscaleModes), "off"),
    v.description("Publish through Tailscale: off, serve (own tailnet) or funnel (internet; needs a password)."),
  ),
  resetOnExit: v.pipe(
    v.optional(v.boolean(), false),
    v.description("Withdraw what was published when the gateway ends."),
  ),
});

const controlUi = v.looseObject({
  enabled: v.pipe(v.optional(v.boolean(), true), v.description("Serve the web page.")),
  basePath: v.pipe(
    v.optional(v.pipe(v.string("a path in quotes"), v.startsWith("/", "a path that begins with /")), "/"),
    v.description("Path under which the web page is served."),
  ),
  root: v.pipe(v.optional(text), v.description("Folder of another build of the web page.")),
  allowedOrigins: v.pipe(
    v.optional(v.array(text, "a list of origins such as https://chat.example"), []),
    v.description("Origins besides the gateway's own whose pages may connect, such as https://chat.example."),
    v.metadata({ reload: "live" } satisfies KeyMetadata),
  ),
  allowInsecureAuth: v.pipe(
    v.optional(v.boolean(), false),
    v.description("Let the web page connect with a token alone, without a device identity."),
  ),
  dangerouslyDisableDeviceAuth: v.pipe(
    v.optional(v.boolean(), false),
    v.description("Let the web page connect without a device identity. Dangerous."),
  ),
});

const remote = v.looseObject({
  url: v.pipe(
    v.optional(text),
    v.description("WebSocket address of the gateway that commands talk to with mode remote."),
  ),
  token: v.pipe(v.optional(secret), v.description("Token sent to the remote gateway. Never guards this one.")),
  password: v.pipe(v.optional(secret), v.description("Password sent to the remote gateway. Never guards this one.")),
  transport: v.pipe(v.optional(v.picklist(["ssh", "direct"])), v.description("How the desktop app reaches it.")),
  sshTarget: v.pipe(v.optional(text), v.description("user@host for a tunnel over SSH.")),
  sshIdentity: v.pipe(v.optional(text), v.description("Key file for the tunnel over SSH.")),
  tlsFingerprint: v.pipe(v.optional(text), v.description("SHA-256 of the certificate that wss must show.")),
});

const tls = v.looseObject({
  enabled: v.pipe(v.optional(v.boolean(), false), v.description("Serve https and wss.")),
  autoGenerate: v.pipe(
    v.optional(v.boolean(), true),
    v.description("Make a self-signed certificate when there is none."),
  ),
  certPath: v.pipe(v.optional(text), v.description("Certificate file (PEM).")),
  keyPath: v.pipe(v.optional(text), v.description("Private key file (PEM).")),
  caPath: v.pipe(
    v.optional(text),
    v.description("Authority (PEM) whose certificates clients must show; local commands have their own."),
  ),
});

const endpoint = v.looseObject({
  enabled: v.pipe(v.optional(v.boolean(), false), v.description("Serve this endpoint.")),
});

const http = v.looseObject({
  endpoints: v.pipe(
    v.optional(
      v.looseObject({
        chatCompletions: v.pipe(v.optional(endpoint, {}), v.description("POST /v1/chat/completions.")),
        responses: v.pipe(v.optional(endpoint, {}), v.description("POST /v1/responses.")),
      }),
      {},
    ),
    v.description("HTTP endpoints that are off unless asked for."),
  ),
});

const commandNames = v.array(text, "a list of command names");

const nodes = v.looseObject({
  allowCommands: v.pipe(
    v.optional(commandNames, []),
    v.description("Node commands allowed beyond the platform's own."),
  ),
  denyCommands: v.pipe(v.optional(commandNames, []), v.description("Node commands that are never allowed.")),
  commands: v.pipe(
    v.optional(
      v.looseObject({
        allow: v.pipe(v.optional(commandNames, []), v.description("Same as nodes.allowCommands.")),
        deny: v.pipe(v.optional(commandNames, []), v.description("Same as nodes.denyCommands.")),
      }),
      {},
    ),
    v.description("Node command policy, newer spelling."),
  ),
  pairing: v.pipe(
    v.optional(
      v.looseObject({
        autoApproveLocal: v.pipe(
          v.optional(v.boolean()),
          v.description("Pair devices that connect from this machine without asking."),
          v.metadata({ whenWrong: false } satisfies KeyMetadata),
        ),
        autoApproveCidrs: v.pipe(
          v.optional(v.array(address, "a list of addresses"), []),
          v.description("Address ranges whose nodes pair without asking."),
        ),
      }),
      {},
    ),
    v.description("Which nodes pair without asking."),
    v.metadata({ reload: "live" } satisfies KeyMetadata),
  ),
});

const reload = v.looseObject({
  mode: v.pipe(
    v.optional(v.picklist(["hybrid", "hot", "restart", "off"]), "hybrid"),
    v.description("What a change of the file does: apply it where possible and restart otherwise, or less."),
  ),
  debounceMs: v.pipe(v.optional(whole(0), 300), v.description("Quiet time before a change of the file is read.")),
});

/** The `gateway` section: where the gateway listens, who gets in, and what it serves. */
export const gatewaySection = v.pipe(
  v.looseObject({
    mode: v.pipe(
      v.optional(v.picklist(["local", "remote"])),
      v.description(
        "local runs a gateway here; remote makes commands talk to another one. Unset: the gateway does not start.",
      ),
    ),
    port: v.pipe(v.optional(port, 18_789), v.description("TCP port the gateway listens on.")),
    bind: v.pipe(
      v.optional(v.picklist(bindModes), "loopback"),
      v.description(
        "Addresses the gateway listens on. Anything but loopback needs auth. lan means whatever addresses come and go; tailnet, auto and custom mean those of the start.",
      ),
    ),
    customBindHost: v.pipe(
      v.optional(
        v.pipe(
          v.string("an IP address in quotes"),
          v.check((text) => parseIp(text) !== undefined, "an IP address such as 192.168.1.10 or fd00::10"),
        ),
      ),
      v.description("The address to listen on with bind custom; 0.0.0.0 and :: are every one, of IPv4 or of IPv6."),
    ),
    auth: v.pipe(v.optional(auth, {}), v.description("Who gets in.")),
    tailscale: v.pipe(v.optional(tailscale, {}), v.description("Publishing through Tailscale.")),
    controlUi: v.pipe(v.optional(controlUi, {}), v.description("The web page.")),
    trustedProxies: v.pipe(
      v.optional(v.array(address, "a list of IP addresses"), []),
      v.description("Addresses of proxies whose forwarding headers are believed."),
    ),
    remote: v.pipe(
      v.optional(remote, {}),
      v.description("The gateway that commands talk to with mode remote."),
      v.metadata({ reload: "none" } satisfies KeyMetadata),
    ),
    tls: v.pipe(v.optional(tls, {}), v.description("Encryption on the gateway's own port.")),
    reload: v.pipe(
      v.optional(reload, {}),
      v.description("What a change of the file does."),
      v.metadata({ reload: "none" } satisfies KeyMetadata),
    ),
    http: v.pipe(v.optional(http, {}), v.description("HTTP endpoints.")),
    nodes: v.pipe(v.optional(nodes, {}), v.description("Policy for nodes.")),
    publicOrigin: v.pipe(
      v.optional(text),
      v.description("The origin under which the gateway is known outside, such as https://claw.example."),
      v.metadata({ reload: "live" } satisfies KeyMetadata),
    ),
  }),
  v.metadata({ reload: "restart" } satisfies KeyMetadata),
);
