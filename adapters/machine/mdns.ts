import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { networkInterfaces } from "node:os";
import multicastDns from "multicast-dns";
import { decodeMessage } from "../../src/host/dns-decode.ts";
import { encodeMessage } from "../../src/host/dns-encode.ts";
import type { NetInterface } from "../../src/host/host.ts";
import type { MulticastEvents, MulticastSocket } from "../../src/host/multicast.ts";
import { Failure } from "../../src/kit/error.ts";

const port = 5353;
const groups = { 4: "224.0.0.251", 6: "ff02::fb" } as const;
/** A busy network has a few dozen packets a second; what is beyond this is dropped unread. */
const packetsPerSecond = 100;
const packetsAtOnce = 200;

/**
 * Joins the multicast DNS group through `multicast-dns`, which binds, joins and joins anew. Packets are read and written
 * by our own codec: that of the package (dns-packet) cannot ask for unicast answers, takes a dot in a label for the end
 * of it, and follows the pointers of one 9,000-byte packet millions of times.
 */
export async function joinMulticast(at: NetInterface, events: MulticastEvents): Promise<MulticastSocket> {
  const socket = createSocket({ type: at.family === 4 ? "udp4" : "udp6", reuseAddr: true, ipv6Only: at.family === 6 });
  const member = await join(socket, at, events);
  const allow = tokenBucket();
  const dropped = { malformed: 0, flooded: 0 };
  const leaving = new Set<Promise<void>>();
  let open = true;

  socket.on("message", (bytes: Uint8Array, sender: RemoteInfo) => {
    const [address = "", zone] = sender.address.split("%");
    if (!open || (zone !== undefined && zone !== zoneOf(at))) return; // Linux gives each socket what all have joined
    if (!allow()) {
      dropped.flooded++;
      return;
    }
    const message = decodeMessage(bytes);
    if (message) events.message(message, { address, port: sender.port });
    else dropped.malformed++;
  });
  return {
    dropped,
    send(message, to) {
      if (!open) return;
      const bytes = encodeMessage(message);
      const host = to?.address ?? groups[at.family];
      const zoned = at.family === 6 && /^(fe80|ff02):/i.test(host) ? `${host}%${zoneOf(at)}` : host;
      const sent = new Promise<void>((resolve) => {
        socket.send(bytes, 0, bytes.length, to?.port ?? port, zoned, (error) => {
          if (error) events.failed(error);
          resolve();
        });
      }).finally(() => leaving.delete(sent));
      leaving.add(sent);
    },
    async close() {
      if (!open) return;
      open = false;
      await Promise.all(leaving);
      await new Promise<void>((resolve) => member.destroy(resolve));
    },
  };
}

function join(socket: Socket, at: NetInterface, events: MulticastEvents): Promise<multicastDns.MulticastDNS> {
  // Bound to the group itself nothing arrives by unicast, from however far (RFC 6762 11). Only Linux can send then.
  const group = groups[at.family];
  const wildcard = at.family === 4 ? "0.0.0.0" : "::";
  const onLinux = process.platform === "linux";
  const member = multicastDns({
    socket,
    type: at.family === 4 ? "udp4" : "udp6",
    ip: group,
    port,
    interface: at.family === 4 ? at.address : `::%${zoneOf(at)}`,
    bind: onLinux && at.family === 4 ? group : wildcard,
  });
  socket.removeAllListeners("message"); // those of the package: see above
  return new Promise((resolve, reject) => {
    let joined = false;
    let ready = false;
    let cause: unknown;
    const trouble = (error: unknown): void => {
      cause = error;
      if (ready) events.failed(error);
    };
    const refuse = (): void => {
      const why = cause instanceof Error ? cause.message : String(cause);
      member.destroy();
      reject(new Failure("failed", `cannot join ${group} on ${at.name} (${at.address}): ${why}`, { cause }));
    };
    member.on("networkInterface", () => void (joined = true));
    member.on("warning", trouble);
    member.on("error", (error) => {
      trouble(error);
      if (!ready) refuse();
    });
    member.on("ready", () => {
      if (!joined) return refuse();
      ready = true;
      resolve(member);
    });
  });
}

/** The zone of an interface's link-local addresses: its name, on Windows its number. */
function zoneOf({ name }: NetInterface): string {
  if (process.platform !== "win32") return name;
  const six = networkInterfaces()[name]?.find(({ family }) => family === "IPv6");
  return String(six && "scopeid" in six ? six.scopeid : 0);
}

function tokenBucket(): () => boolean {
  let tokens = packetsAtOnce;
  let at = performance.now();
  return () => {
    const now = performance.now();
    tokens = Math.min(tokens + ((now - at) * packetsPerSecond) / 1000, packetsAtOnce);
    at = now;
    if (tokens < 1) return false;
    tokens--;
    return true;
  };
}
