import { networkInterfaces } from "node:os";
import type { Net } from "../../src/host/host.ts";
import { connect } from "./connect.ts";
import { dial } from "./dial.ts";

/** The network of this machine, less `serve`, which is each runtime's own. What only some commands use is loaded then. */
export const net: Omit<Net, "serve"> = {
  dial,
  connect,
  interfaces: () =>
    Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
      addresses.map(({ address, family, internal, cidr }) => ({
        name,
        address: address.replace(/%.*$/, ""),
        family: family === "IPv6" ? (6 as const) : (4 as const),
        internal,
        ...(cidr ? { prefix: Number(cidr.replace(/^.*\//, "")) } : {}),
      })),
    ),
  reaches: (host, port, timeoutMs) =>
    new Promise((resolve) => {
      const socket = process.getBuiltinModule("node:net").connect({ host, port, timeout: timeoutMs });
      const end = (answer: boolean): void => {
        socket.destroy();
        resolve(answer);
      };
      socket.on("connect", () => end(true));
      socket.on("timeout", () => end(false));
      socket.on("error", () => end(false));
    }),
  multicast: async (at, events) => (await import("./mdns.ts")).joinMulticast(at, events),
  resolve: async (name, type, options) => (await import("./resolve.ts")).resolve(name, type, options),
};
