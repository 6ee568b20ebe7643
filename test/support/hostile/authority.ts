import { clientIds, clientModes } from "../../../src/protocol/connect.ts";
import { scopes as known } from "../../../src/protocol/scope.ts";
import { UpgradeRefused } from "../raw-client.ts";
import type { Attack, Target } from "./attack.ts";
import { type Introduction, introduce, makeDevice } from "./session.ts";

const wishes: readonly (readonly string[])[] = [
  [],
  ["operator.read"],
  [...known],
  ["operator.admin", "operator.root", "*", "operator.*", "OPERATOR.ADMIN", " operator.admin", "node", "operator"],
];

/** Callers who declare what they may do. */
export const authority: readonly Attack[] = [
  {
    name: "threat C: no client's name, mode, role or wish brings more than its credential allows",
    expected: "nobody got more than allowed",
    needs: ["token"],
    async run(target) {
      const seen: string[] = [];
      for (const given of claims()) {
        const granted = await grantedTo(target, given);
        const allowed = allowedTo(given);
        const excess = granted.filter((scope) => !allowed.includes(scope));
        if (excess.length > 0) seen.push(`${JSON.stringify(given)} got ${excess.join(",")}`);
      }
      return seen.length === 0 ? "nobody got more than allowed" : seen.join("; ");
    },
  },
  {
    name: "threat C: without a credential, no client's name or mode is let in",
    expected: "nobody",
    needs: ["token"],
    async run(target) {
      const seen: string[] = [];
      for (const given of claims()) {
        for (const auth of [{}, { token: "" }, { password: "" }]) {
          if (await isLetIn(target, { ...given, auth })) seen.push(`${given.id}/${given.mode}`);
        }
      }
      return seen.length === 0 ? "nobody" : seen.join("; ");
    },
  },
  {
    name: "threat C: a paired device gets the scopes it was paired with, whatever it calls itself",
    expected: "operator.read at most",
    needs: ["token"],
    async run(target) {
      const device = makeDevice();
      const first = await introduce(target, { device, scopes: ["operator.read"] });
      const auth = { deviceToken: first.hello.auth.deviceToken };
      await first.leave();
      const seen = new Set<string>();
      for (const { id, mode, scopes, role } of claims()) {
        // The token of another role is a wrong secret, and those are counted.
        if (role !== undefined) continue;
        for (const scope of await grantedTo(target, { device, auth, id, mode, scopes })) seen.add(scope);
      }
      seen.delete("operator.read");
      return seen.size === 0 ? "operator.read at most" : `also ${[...seen].join(", ")}`;
    },
  },
  refusals("without a scope", []),
  refusals("with the scope to read", ["operator.read"]),
  {
    name: "threat F: a node may call none of an operator's methods",
    expected: "none",
    needs: ["token"],
    async run(target) {
      const owner = await introduce(target);
      const methods: readonly string[] = owner.hello.features.methods;
      await owner.leave();
      const device = makeDevice();
      const answered: string[] = [];
      for (const method of methods.filter((name) => name !== "health" && !forNodes.test(name))) {
        // A node that asks for too much is cut, so each asks once.
        const node = await introduce(target, {
          id: "node-host",
          mode: "node",
          role: "node",
          scopes: ["operator.admin"],
          device,
        });
        if ((await node.call(method)).ok) answered.push(method);
        await node.leave();
      }
      return answered.length === 0 ? "none" : answered.join(", ");
    },
  },
];

const forNodes = /^(node\.(event|pending|invoke|skills|pluginTools|runnerInventory|pluginSurface)|skills\.bins)/;
/** What a method's name says when it changes something, or shows what is an administrator's. */
const changes =
  /(^|[.-])(set|patch|apply|approve|reject|resolve|remove|rename|rotate|revoke|create|delete|reset|compact|send|abort|inject|update|run|add|install|uninstall|restart|invoke|logout|login|start|stop|wake|event|enqueue|setupCode|pairing)([.-]|$)|^set-|^(device|node)\.pair/;

/** Reads, whose names sound like more. */
const finds: ReadonlySet<string> = new Set(["sessions.resolve", "gateway.restart.preflight"]);

/** Every advertised method that changes something is refused for its scope or role, before its parameters are looked at. */
function refusals(who: string, scopes: readonly string[]): Attack {
  return {
    name: `threat F: no method that changes anything answers a caller ${who}`,
    expected: "none",
    needs: ["token"],
    async run(target) {
      const caller = await introduce(target, { scopes });
      const answered: string[] = [];
      for (const method of caller.hello.features.methods) {
        const { ok, error } = await caller.call(method);
        const refused =
          !ok && (error?.details?.code === "MISSING_SCOPE" || error?.message.startsWith("unauthorized role"));
        const harmless = method === "health" || (scopes.length > 0 && (!changes.test(method) || finds.has(method)));
        if (!refused && !harmless && !forNodes.test(method)) answered.push(method);
      }
      await caller.leave();
      return answered.length === 0 ? "none" : answered.join(", ");
    },
  };
}

function* claims(): Generator<Introduction & { id: string; mode: string; scopes: readonly string[] }> {
  for (const id of clientIds) {
    for (const mode of clientModes) yield { id, mode, scopes: ["operator.admin"] };
    for (const scopes of wishes) yield { id, mode: "cli", scopes };
    for (const role of ["node", "admin"]) yield { id, mode: "cli", scopes: ["operator.admin"], role };
  }
  for (const scopes of wishes) yield { id: "gateway-client", mode: "backend", scopes };
}

/** With the shared secret and no device: the command line and the helpers of this machine get what they ask for. */
function allowedTo({ id, mode, scopes, role }: Introduction): readonly string[] {
  const trusted = (id === "cli" && mode === "cli") || (id === "gateway-client" && mode === "backend");
  return trusted && role === undefined
    ? (scopes ?? []).filter((scope) => (known as readonly string[]).includes(scope))
    : [];
}

async function grantedTo(target: Target, given: Introduction): Promise<readonly string[]> {
  const session = await introduce(target, given).catch(refused);
  if (!session?.hello) return [];
  await session.leave();
  return session.hello.auth.scopes;
}

async function isLetIn(target: Target, given: Introduction): Promise<boolean> {
  const session = await introduce(target, given).catch(refused);
  if (!session?.hello) return false;
  await session.leave();
  return true;
}

function refused(error: unknown): undefined {
  if (!(error instanceof UpgradeRefused)) throw error;
}
