// A process that holds many idle connections, each past its hello, so that neither its limit of open files nor its work
// is the gateway's. Prints `ready`, and ends when its standard input does.
// Usage: bun scripts/bench/dialer.ts PORT COUNT hello|bare
import { dial, hello } from "./caller.ts";

const [port = 0, count = 0] = process.argv.slice(2, 4).map(Number);
const open = process.argv[4] === "bare" ? dial : hello;
const sockets: WebSocket[] = [];
// A few at a time: a gateway lets only so many wait to say who they are.
await Promise.all(
  Array.from({ length: 4 }, async (_, lane) => {
    for (let made = lane; made < count; made += 4) sockets.push(await open(port));
  }),
);
process.stdout.write("ready\n");
for await (const data of process.stdin) void data;
process.exit(0);
