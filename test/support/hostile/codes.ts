import type { Attack, Target } from "./attack.ts";
import { type Device, type Introduction, introduce, type Json, makeDevice, outcome } from "./session.ts";

const refused = "AUTH_BOOTSTRAP_TOKEN_INVALID, closed 1008";

/**
 * Setup codes, which let a device in without anybody being asked: each lets in one, as what it says, and no more. The
 * first two use up the attempts of an address, so that the others begin with all of them.
 */
export const codes: readonly Attack[] = [
  {
    name: "threat D: of eight devices that bring one setup code at once, one comes in",
    expected: "1 of 8",
    needs: ["token"],
    async run(target) {
      const bootstrapToken = await code(target);
      const tries = Array.from({ length: 8 }, () => outcome(target, phone(bootstrapToken)));
      return `${(await Promise.all(tries)).filter((seen) => seen === "let in with []").length} of 8`;
    },
  },
  {
    name: "threat I: guessed setup codes are failed attempts like any other",
    expected: "AUTH_RATE_LIMITED, closed 1008",
    needs: ["token"],
    async run(target) {
      for (let count = 0; count < 10; count++) await outcome(target, phone(makeDevice().publicKey));
      return outcome(target, phone(makeDevice().publicKey));
    },
  },
  {
    name: "threat D: a setup code a second time, by its own device and by another",
    expected: `let in with [], ${refused}, ${refused}`,
    needs: ["token"],
    async run(target) {
      const [bootstrapToken, device] = [await code(target), makeDevice()];
      const seen = [await outcome(target, phone(bootstrapToken, device))];
      seen.push(await outcome(target, phone(bootstrapToken, device)));
      seen.push(await outcome(target, phone(bootstrapToken)));
      return seen.join(", ");
    },
  },
  {
    name: "threat D: a device that was removed does not come back by the code that once let it in",
    expected: refused,
    needs: ["token"],
    async run(target) {
      const [bootstrapToken, device] = [await code(target), makeDevice()];
      await outcome(target, phone(bootstrapToken, device));
      await asOwner(target, "device.pair.remove", { deviceId: device.id });
      return outcome(target, phone(bootstrapToken, device));
    },
  },
  {
    name: "threat D: a setup code whose maker was removed lets nobody in",
    expected: refused,
    needs: ["token"],
    async run(target) {
      const device = makeDevice();
      const maker = await introduce(target, { device });
      const bootstrapToken = tokenIn(await maker.call("device.pair.setupCode", { publicUrl: target.url }));
      await maker.leave();
      await asOwner(target, "device.pair.remove", { deviceId: device.id });
      return outcome(target, phone(bootstrapToken));
    },
  },
  {
    name: "threat D: a setup code for nodes lets no operator in",
    expected: refused,
    needs: ["token"],
    async run(target) {
      const bootstrapToken = await code(target, "node");
      return outcome(target, operator(bootstrapToken, ["operator.read"]));
    },
  },
  {
    name: "threat D: a limited setup code makes no administrator and nobody who lets others in",
    expected: "let in with [operator.read]",
    needs: ["token"],
    async run(target) {
      const scopes = ["operator.admin", "operator.pairing", "operator.read"];
      return outcome(target, operator(await code(target, "limited"), scopes));
    },
  },
  {
    name: "threat D: who comes in as a node by a setup code has no rights of an operator there, and approves nobody",
    expected: "unauthorized role: node, unauthorized role: node",
    needs: ["token"],
    async run(target) {
      const node = await introduce(target, phone(await code(target)));
      const answers = [await node.call("device.pair.approve", { requestId: "r" }), await node.call("config.get")];
      await node.leave();
      return answers.map(said).join(", ");
    },
  },
  {
    name: "threat D: the operator's token that a limited setup code gives neither grows nor makes codes",
    expected: "missing scope: operator.pairing, missing scope: operator.admin, AUTH_SCOPE_MISMATCH, closed 1008",
    needs: ["token"],
    async run(target) {
      const device = makeDevice();
      const node = await introduce(target, phone(await code(target, "limited"), device));
      const [{ deviceToken, scopes }] = node.hello.auth.deviceTokens;
      await node.leave();
      const own = await introduce(target, { device, auth: { deviceToken }, scopes });
      const rotated = { deviceId: device.id, role: "operator", scopes: ["operator.admin"] };
      const answers = [await own.call("device.token.rotate", rotated), await own.call("device.pair.setupCode")];
      await own.leave();
      const more = await outcome(target, { device, auth: { deviceToken }, scopes: [...scopes, "operator.admin"] });
      return [...answers.map(said), more].join(", ");
    },
  },
  {
    name: "threat D: a known administrator who comes in again by a limited setup code is one no more",
    expected: "without operator.admin, AUTH_DEVICE_TOKEN_MISMATCH, closed 1008",
    needs: ["token"],
    async run(target) {
      const device = makeDevice();
      const before = await introduce(target, { device });
      await before.leave();
      const node = await introduce(target, phone(await code(target, "limited"), device));
      const [{ scopes }] = node.hello.auth.deviceTokens;
      await node.leave();
      const old = { device, auth: { deviceToken: before.hello.auth.deviceToken } };
      return `${scopes.includes("operator.admin") ? "with" : "without"} operator.admin, ${await outcome(target, old)}`;
    },
  },
  {
    name: "threat D: who may pair devices makes no setup codes",
    expected: "missing scope: operator.admin",
    needs: ["token"],
    async run(target) {
      const approver = await introduce(target, { scopes: ["operator.pairing"] });
      const answer = await approver.call("device.pair.setupCode", { publicUrl: target.url });
      await approver.leave();
      return said(answer);
    },
  },
  {
    name: "threat D: a setup code without a device, as a token, or not signed for, lets nobody in and is not used up",
    expected: `${refused}, AUTH_TOKEN_MISMATCH, closed 1008, DEVICE_AUTH_SIGNATURE_INVALID, closed 1008, let in with []`,
    needs: ["token"],
    async run(target) {
      const bootstrapToken = await code(target);
      const seen = [await outcome(target, { auth: { bootstrapToken } })];
      seen.push(await outcome(target, { auth: { token: bootstrapToken }, device: makeDevice() }));
      seen.push(await outcome(target, { ...phone(bootstrapToken), signed: { token: "" } }));
      seen.push(await outcome(target, phone(bootstrapToken)));
      return seen.join(", ");
    },
  },
];

/** A phone that comes in as a node, as the official ones do. */
function phone(bootstrapToken: string, device = makeDevice()): Introduction {
  return { id: "node-host", mode: "node", role: "node", scopes: [], auth: { bootstrapToken }, device };
}

function operator(bootstrapToken: string, scopes: readonly string[], device: Device = makeDevice()): Introduction {
  return { scopes, auth: { bootstrapToken }, device };
}

async function code(target: Target, bootstrapProfile?: "limited" | "node"): Promise<string> {
  const params = { publicUrl: target.url, ...(bootstrapProfile ? { bootstrapProfile } : {}) };
  return tokenIn(await asOwner(target, "device.pair.setupCode", params));
}

function tokenIn(answer: Json): string {
  return JSON.parse(Buffer.from(answer.payload.setupCode, "base64url").toString()).bootstrapToken;
}

async function asOwner(target: Target, method: string, params: object): Promise<Json> {
  const owner = await introduce(target);
  const answer = await owner.call(method, params);
  await owner.leave();
  return answer;
}

function said({ ok, error }: Json): string {
  return ok ? "ok" : error.message;
}
