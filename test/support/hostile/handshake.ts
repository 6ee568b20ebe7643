import type { Socket } from "node:net";
import { dial, openRaw, upgradeRequest } from "../raw-client.ts";
import type { Attack, Target } from "./attack.ts";
import { refusedUpgrade } from "./session.ts";

const megabyte = Buffer.alloc(1024 * 1024, "x");

/** Requests that are not what they should be, before there is a WebSocket. */
export const handshake: readonly Attack[] = [
  {
    name: "threat H: malformed upgrades take no place of those who wait for their hello",
    expected: "HTTP 400 x40, HTTP 101",
    async run(target) {
      const seen = await Promise.all(
        Array.from({ length: 40 }, () =>
          exchange(target, upgradeRequest(target.url, { headers: { "Sec-WebSocket-Key": "" } })),
        ),
      );
      const refused = new Set(seen);
      const socket = await openRaw(target.url);
      socket.close();
      return `${[...refused].join(" and ")} x${seen.length}, HTTP 101`;
    },
  },
  malformed("an upgrade with a key of the wrong length", { "Sec-WebSocket-Key": "c2hvcnQ=" }, "HTTP 400"),
  malformed("an upgrade to a version that does not exist", { "Sec-WebSocket-Version": "99" }, /^HTTP 4(00|26)$/),
  malformed("an upgrade without Connection: Upgrade", { Connection: "close" }, /^HTTP 4/),
  malformed("an upgrade whose Host is no host", { Host: "a b" }, /^HTTP 40[03]$/),
  malformed("an upgrade without a Host", { Host: "" }, /^HTTP 40[03]$/),
  malformed("headers of 64 KiB", { "X-Large": "x".repeat(65_536) }, /^(HTTP 431|no answer)$/),
  request(
    "a thousand headers of 1 KiB",
    `GET /health HTTP/1.1\r\nHost: localhost\r\n${"X-A: ".concat("x".repeat(1024), "\r\n").repeat(1000)}\r\n`,
    /^(HTTP 431|no answer)$/,
  ),
  request(
    "an absolute URL of another host",
    "GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    /^HTTP 40[034]$/,
  ),
  request(
    "a path out of the folder",
    "GET /../../../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
    /^HTTP 40[04]$/,
  ),
  request(
    "an encoded path out of the folder",
    "GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
    /^HTTP 40[04]$/,
  ),
  request("an encoded NUL in the path", "GET /health%00.json HTTP/1.1\r\nHost: localhost\r\n\r\n", /^HTTP 40[04]$/),
  request("a NUL in the path", "GET /health\0 HTTP/1.1\r\nHost: localhost\r\n\r\n", /^(HTTP (40[04]|505)|no answer)$/),
  request("a broken escape in the path", "GET /%zz%c0%ae HTTP/1.1\r\nHost: localhost\r\n\r\n", /^HTTP 40[04]$/),
  request(
    "two lengths at once",
    "POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    /^HTTP 40[05]$/,
  ),
  request(
    "a length below zero",
    "POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    /^(HTTP 40[05]|no answer)$/,
  ),
  request("no HTTP at all", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", /^(HTTP 400|no answer)$/),
  request("another method", "DELETE /health HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP 405"),
  endless("/health", /^HTTP 4(05|13)$/),
  endless("/no/such/path", /^HTTP 4(04|13)$/),
];

function malformed(what: string, headers: Readonly<Record<string, string>>, expected: string | RegExp): Attack {
  return {
    name: `threat H: ${what}`,
    expected,
    run: (target) => openRaw(target.url, { headers }).then((socket) => (socket.reset(), "HTTP 101"), upgradeAnswer),
  };
}

function request(what: string, text: string, expected: string | RegExp): Attack {
  return { name: `threat M: ${what}`, expected, run: (target) => exchange(target, text) };
}

/** A body of a gigabyte in chunks: sent for as long as the gateway takes it without an answer. */
function endless(path: string, expected: RegExp): Attack {
  return {
    name: `threat H: a body of a gigabyte to ${path}`,
    expected,
    async run(target) {
      const socket = await dial(target.url);
      const answered = answer(socket);
      socket.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`);
      for (let sent = 0; sent < 1024 && !socket.destroyed && socket.writable; sent++) {
        socket.write(`100000\r\n`);
        socket.write(megabyte);
        if (!socket.write("\r\n")) await Promise.race([answered, drained(socket)]);
      }
      return answered;
    },
  };
}

async function exchange(target: Target, text: string): Promise<string> {
  const socket = await dial(target.url);
  const seen = answer(socket);
  socket.write(text);
  return seen;
}

/** The status of the answer, after which the connection is cut. */
function answer(socket: Socket): Promise<string> {
  let text = "";
  return new Promise((resolve) => {
    const done = (): void => {
      resolve(text === "" ? "no answer" : `HTTP ${/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? "?"}`);
      socket.destroy();
    };
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (text.includes("\r\n")) done();
    });
    socket.once("end", done);
    socket.once("close", done);
  });
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("drain", resolve));
}

function upgradeAnswer(error: unknown): string {
  const seen = refusedUpgrade(error);
  return seen.startsWith("HTTP") ? seen.split(" ").slice(0, 2).join(" ") : "no answer";
}
