// The yardstick: the least a WebSocket server on this runtime can do. Every message is answered with the same text; the
// message `fan` sends a text of that length to every socket. Bun serves natively, the others over node:http and ws, as
// the product does. Usage: <runtime> scripts/bench/bare.ts PORT BYTES
import type { WebSocket } from "ws";

const [port = 0, bytes = 0] = process.argv.slice(-2).map(Number);
// Clients count what begins as a response does.
const answer = '{"type":"res"'.padEnd(bytes, "x");
const event = "x".repeat(bytes);

if (typeof Bun === "undefined") {
  const [{ createServer }, { WebSocketServer }] = await Promise.all([import("node:http"), import("ws")]);
  const sockets = new Set<WebSocket>();
  const server = createServer();
  const accept = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  server.on("upgrade", (request, socket, head) =>
    accept.handleUpgrade(request, socket, head, (ws) => {
      sockets.add(ws);
      ws.on("close", () => sockets.delete(ws));
      ws.on("message", (data: Buffer) => {
        if (data.length === 3) for (const each of sockets) each.send(event);
        else ws.send(answer);
      });
    }),
  );
  server.listen(port, "127.0.0.1");
} else {
  const sockets = new Set<Bun.ServerWebSocket>();
  Bun.serve({
    port,
    hostname: "127.0.0.1",
    fetch: (request, server) => (server.upgrade(request) ? undefined : new Response("")),
    websocket: {
      idleTimeout: 0,
      open: (ws) => void sockets.add(ws),
      close: (ws) => void sockets.delete(ws),
      message(ws, data) {
        if (data.length === 3) for (const each of sockets) each.send(event);
        else ws.send(answer);
      },
    },
  });
}
