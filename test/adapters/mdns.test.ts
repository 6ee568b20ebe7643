import { test } from "uvu";
import { net } from "../../adapters/machine/net.ts";
import type { NetInterface } from "../../src/host/host.ts";
import { Failure } from "../../src/kit/error.ts";
import { multicastContract } from "../contract/multicast.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { until } from "../support/gateway-process.ts";
import { createWire, empty, interfaceAt } from "../support/scripted-wire.ts";

const wire = createWire(createFakeClock());
multicastContract(
  "a scripted wire",
  { multicast: async (at, events) => wire.attach(at, events) },
  interfaceAt("192.0.2.1", "lan0"),
);

for (const family of [4, 6] as const) {
  const at = net.interfaces().find((each) => each.internal && each.family === family);
  const why = at ? await refusal(at) : `needs an IPv${family} loopback interface`;
  if (at && !why && net.multicast) multicastContract(`real IPv${family} multicast`, { multicast: net.multicast }, at);
  else test(`real IPv${family} multicast`, () => void process.stdout.write(`skipped: ${why}\n`));
}

/** Why this machine cannot do multicast there: Linux has no IPv6 route to a group on `lo`, a container often none. */
async function refusal(at: NetInterface): Promise<string | undefined> {
  let failure: unknown;
  let heard = false;
  try {
    const socket = await net.multicast?.(at, {
      message: () => void (heard = true),
      failed: (error) => void (failure = error),
    });
    socket?.send(empty);
    await until("echo", () => heard || failure !== undefined, 2000).catch((error: unknown) => (failure = error));
    await socket?.close();
  } catch (error) {
    failure = error;
  }
  return heard ? undefined : `needs multicast on ${at.name}: ${Failure.from(failure).message}`;
}

test.run();
