import type { Attack, Target } from "./attack.ts";
import { type Device, ending, type Introduction, introduce, type Json, makeDevice, outcome } from "./session.ts";

/** A page of this machine with a device and the token: let in only when the owner says so. */
const asking = { headers: { Origin: "http://localhost:3000" } } as const;

/** Devices that want in, or want more, and what becomes of them when they must go. */
export const pairing: readonly Attack[] = [
  {
    name: "threat D: an approver cannot give what he does not hold",
    expected: "device pairing approval denied, still waiting",
    needs: ["token"],
    async run(target) {
      const requestId = await request(target, makeDevice(), ["operator.admin"]);
      const approver = await introduce(target, { scopes: ["operator.pairing"] });
      const denied = await approver.call("device.pair.approve", { requestId });
      const { pending } = (await approver.call("device.pair.list")).payload;
      await approver.call("device.pair.reject", { requestId });
      await approver.leave();
      const waits = pending.some((each: Json) => each.requestId === requestId);
      return `${said(denied)}, ${waits ? "still waiting" : "gone"}`;
    },
  },
  {
    name: "threat D: an approval counts once",
    expected: "ok, unknown requestId",
    needs: ["token"],
    async run(target) {
      const requestId = await request(target, makeDevice(), ["operator.read"]);
      const owner = await introduce(target);
      const answers = [await owner.call("device.pair.approve", { requestId })];
      answers.push(await owner.call("device.pair.approve", { requestId }));
      await owner.leave();
      return answers.map(said).join(", ");
    },
  },
  {
    name: "threat D: of an approval and a rejection at once, one counts",
    expected: "one of each ten times",
    needs: ["token"],
    async run(target) {
      const [one, other] = [await introduce(target), await introduce(target)];
      for (let round = 0; round < 10; round++) {
        const requestId = await request(target, makeDevice(), ["operator.read"]);
        const both = await Promise.all([
          one.call("device.pair.approve", { requestId }),
          other.call("device.pair.reject", { requestId }),
        ]);
        const seen = both.map(said).sort().join(", ");
        if (seen !== "ok, unknown requestId") return seen;
      }
      await Promise.all([one.leave(), other.leave()]);
      return "one of each ten times";
    },
  },
  {
    name: "threat D: more scopes for a paired device need the owner again",
    expected: "PAIRING_REQUIRED, closed 1008",
    needs: ["token"],
    async run(target) {
      const device = await approved(target, ["operator.read"]);
      return outcome(target, { ...asking, device, scopes: ["operator.read", "operator.admin"] });
    },
  },
  {
    name: "threat D: to ask again without scopes brings none",
    expected: "let in with []",
    needs: ["token"],
    async run(target) {
      const device = await approved(target, ["operator.read"]);
      return outcome(target, { ...asking, device, scopes: [] });
    },
  },
  {
    name: "threat D: a person's device does not become a node by itself",
    expected: "PAIRING_REQUIRED, closed 1008",
    needs: ["token"],
    async run(target) {
      const device = makeDevice();
      await (await introduce(target, { device })).leave();
      return outcome(target, { device, id: "node-host", mode: "node", role: "node", scopes: [] });
    },
  },
  {
    name: "threat D: nobody rotates a token into more than he holds",
    expected: "device token rotation denied",
    needs: ["token"],
    async run(target) {
      const device = makeDevice();
      const guest = await introduce(target, { device, scopes: ["operator.pairing"] });
      const params = { deviceId: device.id, role: "operator", scopes: ["operator.admin"] };
      const answer = await guest.call("device.token.rotate", params);
      await guest.leave();
      return said(answer);
    },
  },
  {
    name: "threat D: a hundred askers do not fill the list",
    expected: /^\d{1,2} waiting$/,
    needs: ["token"],
    async run(target) {
      for (let count = 0; count < 100; count++) await request(target, makeDevice(), ["operator.read"]);
      const owner = await introduce(target);
      const { pending } = (await owner.call("device.pair.list")).payload;
      for (const { requestId } of pending) await owner.call("device.pair.reject", { requestId });
      await owner.leave();
      return `${pending.length} waiting`;
    },
  },
  expelled("revoked", "device.token.revoke", { role: "operator" }),
  expelled("rotated", "device.token.rotate", { role: "operator" }),
  expelled("removed with its device", "device.pair.remove", {}),
  {
    name: "threat E: sockets that came in by a secret end when it changes, and it opens nothing more",
    expected: "closed 4001 gateway auth changed within 100 ms, AUTH_TOKEN_MISMATCH, closed 1008",
    needs: ["token", "own"],
    async run(target) {
      const [owner, bystander] = [await introduce(target), await introduce(target)];
      const changed = `${target.token}-changed`;
      const end = bystander.socket.closed.then(() => ending(bystander.socket));
      await setToken(owner, changed);
      const seen = `${await timed(end)}, ${await outcome(target)}`;
      const back = await introduce({ ...target, token: changed });
      await setToken(back, target.token);
      await back.socket.closed;
      return seen;
    },
  },
];

function expelled(how: string, method: string, params: object): Attack {
  return {
    name: `threat E: a token that is ${how} ends its live socket and opens nothing more`,
    expected: /^closed 4001 device removed within 100 ms, AUTH_DEVICE_TOKEN_MISMATCH, closed 1008$/,
    needs: ["token"],
    async run(target) {
      const device = makeDevice();
      const first = await introduce(target, { device });
      const auth = { deviceToken: first.hello.auth.deviceToken };
      await first.leave();
      const [owner, guest] = [await introduce(target), await introduce(target, { device, auth })];
      const end = ending(guest.socket);
      await owner.call(method, { deviceId: device.id, ...params });
      const seen = await timed(end);
      await owner.leave();
      return `${seen}, ${await outcome(target, { device, auth })}`;
    },
  };
}

async function request(target: Target, device: Device, scopes: readonly string[]): Promise<string> {
  const session = await introduce(target, { ...asking, device, scopes } satisfies Introduction);
  await session.socket.closed;
  return session.error?.details?.requestId ?? session.error?.message ?? "let in";
}

async function approved(target: Target, scopes: readonly string[]): Promise<Device> {
  const device = makeDevice();
  const requestId = await request(target, device, scopes);
  const owner = await introduce(target);
  await owner.call("device.pair.approve", { requestId });
  await owner.leave();
  return device;
}

async function setToken(owner: { call(method: string, params: object): Promise<Json> }, token?: string): Promise<void> {
  const { hash } = (await owner.call("config.get", {})).payload;
  // The caller's own socket ends with the rest: there may be no answer.
  await owner.call("config.patch", { raw: JSON.stringify({ gateway: { auth: { token } } }), baseHash: hash });
}

/** With how long it took from now on, when that was too long: the change itself has to reach the disk first. */
async function timed(end: Promise<string>): Promise<string> {
  const since = Date.now();
  const seen = await end;
  const ms = Date.now() - since;
  return `${seen} within ${ms <= 100 ? 100 : ms} ms`;
}

function said({ ok, error }: Json): string {
  return ok ? "ok" : error.message;
}
