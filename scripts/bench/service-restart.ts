// Installs a gateway on a machine with a real systemd and restarts it under load; prints what its clients saw:
//   bun scripts/bench/service-restart.ts [restarts]      (as root; boots the machine itself)
import { until } from "../../test/support/gateway-process.ts";
import { addAccount, bootMachine, enableLinger, expectOk, missing } from "../../test/support/systemd/machine.ts";
import { serviceOn } from "../../test/support/systemd/service.ts";
import { underLoad } from "../../test/support/systemd/under-load.ts";

const times = Number(process.argv[2] ?? 10);
const why = missing();
if (why) throw new Error(`no machine can be booted here: ${why}`);
const unit = "openclaw-gateway.service";
const token = "a-token-of-this-measurement";
const machine = await bootMachine();
try {
  const somebody = await addAccount(machine, "somebody");
  await enableLinger(machine, somebody);
  const service = serviceOn(machine, { unit, owner: somebody, scope: "user" });
  await service.writeConfig({
    gateway: { mode: "local", auth: { mode: "token", token } },
    commands: { restart: true },
  });
  await expectOk(service.cli("gateway", "install"));
  const started = async () => (await service.journal()).split("listening on ws://127.0.0.1").length;
  const ways = {
    "systemctl --user reload": () => expectOk(service.systemctl("reload", unit)),
    "gateway restart": () => expectOk(service.cli("gateway", "restart")),
  };
  for (const [way, restart] of Object.entries(ways)) {
    const target = { url: "ws://127.0.0.1:18789", token, as: somebody };
    const figures = await underLoad(machine, target, async () => {
      for (let time = 0; time < times; time++) {
        const before = await started();
        await restart();
        await until("restarted gateway", async () => (await started()) > before || undefined, 60_000);
      }
    });
    const rows: readonly (readonly [string, string | number])[] = [
      [`${times} times ${way}`, ""],
      ["  calls answered, each over a connection of its own", figures.calls],
      ["  longest wait of a call", `${figures.longestWaitMs} ms`],
      ["  connections refused (each is tried again)", figures.failures["ECONNREFUSED"] ?? 0],
      ["  messages acknowledged", figures.written],
      ["    lost or doubled", figures.wrong.length],
      ["    whose event came by the history only", figures.eventsMissed],
      ["  reconnects of two clients that stay", figures.reconnects],
    ];
    for (const [what, value] of rows) process.stdout.write(`${what.padEnd(56)}${value}\n`);
  }
} finally {
  await machine.powerOff();
}
