import { createPrivateKey, sign } from "node:crypto";
import { WebSocket } from "ws";
import { signedText } from "../../src/protocol/signature.ts";
import { until } from "./gateway-process.ts";
import { makeDevice, rawPublicKey } from "./official-client.ts";
import { kindOf, runOf, type Frame, type Recording, type Step } from "./recording.ts";

/** What a gateway answered to a recorded client. */
export interface Played {
  /** Every frame of each connection. */
  readonly frames: readonly (readonly Frame[])[];
  /** The responses to each step of the recording. */
  readonly answers: readonly (readonly Frame[])[];
  /** The kinds of a run's events in the order of their first ones. */
  orderOf(runId: string): readonly string[];
}

export interface Door {
  readonly url: string;
  readonly token: string;
}

/**
 * Sends a gateway what a recorded client sent, each request as soon as what the client had seen by then was seen again.
 * Credentials are new ones: the token of this gateway, and a device of its own for each connection that had one.
 */
export async function replay({ steps, runs, events }: Recording, door: Door): Promise<Played> {
  const lines = await Promise.all(steps.filter(({ method }) => method === "connect").map((step) => open(step, door)));
  const lineOf = ({ connection }: Pick<Step, "connection">): Line => lines[connection] ?? lines[0]!;
  const all = (): Frame[] => lines.flatMap(({ frames }) => frames);
  const answersOf = (step: number): Frame[] => {
    const asked = steps[step];
    return asked ? lineOf(asked).frames.filter(({ type, id }) => type === "res" && id === `step ${step}`) : [];
  };
  const isSeen = (mark: string): boolean => {
    const [, state = "", of = ""] = /^(\S+) (.*)$/.exec(mark) ?? [];
    if (state === "answer") return answersOf(Number(of)).length > 0;
    const states = all().flatMap((frame) =>
      frame.event === "chat" && frame.payload.runId === of ? [frame.payload.state] : [],
    );
    return states.some((each) => ends.has(each) || (state === "delta" && each === "delta"));
  };
  try {
    for (const [step, asked] of steps.entries()) {
      const refused = asked.connection >= 0 && answersOf(asked.connection).find((each) => !each.ok);
      if (refused) throw new Error(JSON.stringify(refused));
      await until(`${asked.after.join(", ")} before ${asked.method}`, () => asked.after.every(isSeen), 10_000);
      lineOf(asked).send({ id: `step ${step}`, method: asked.method, params: current(asked, { door, all, lineOf }) });
    }
    for (const [step, { method, answers }] of steps.entries())
      await until(`answer to ${method}`, () => answersOf(step).length >= Math.min(answers.length, 1), 10_000);
    const accepted = new Set(
      steps.flatMap((_, step) => answersOf(step).flatMap(({ payload }) => payload?.runId ?? [])),
    );
    for (const { runId } of runs.filter((run) => accepted.has(run.runId)))
      await until(`end of ${runId}`, () => isSeen(`end ${runId}`), 10_000);
    // Who is there is told a moment after somebody came, and so may be all that a short recording waits for.
    if (events["presence"]) await until("presence", () => all().some(({ event }) => event === "presence"), 10_000);
    // What is told of the last run's end comes before the answer to what is asked after it.
    for (const line of lines) line.send({ id: "last", method: "health", params: {} });
    await until("last answers", () => lines.every(({ frames }) => frames.some(({ id }) => id === "last")), 10_000);
  } finally {
    for (const line of lines) line.close();
  }
  return {
    frames: lines.map(({ frames }) => frames),
    answers: steps.map((_, step) => answersOf(step)),
    orderOf: (runId) => [
      ...new Set(all().flatMap((frame) => (frame.type === "event" && runOf(frame) === runId ? [kindOf(frame)] : []))),
    ],
  };
}

const ends: ReadonlySet<string> = new Set(["final", "error", "aborted"]);

interface Line {
  readonly frames: Frame[];
  readonly nonce: string;
  send(request: { id: string; method: string; params: unknown }): void;
  close(): void;
}

function open({ params }: Step, { url }: Door): Promise<Line> {
  // A page names where it came from: here the gateway itself.
  const isPage = JSON.stringify(params).includes("control-ui");
  const socket = new WebSocket(url, isPage ? { origin: url.replace("ws", "http") } : {});
  const frames: Frame[] = [];
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("message", (data: Buffer) => {
      const frame = JSON.parse(data.toString());
      frames.push(frame);
      if (frame.event !== "connect.challenge") return;
      resolve({
        frames,
        nonce: frame.payload.nonce,
        send: (request) => socket.send(JSON.stringify({ type: "req", ...request })),
        close: () => socket.close(),
      });
    });
  });
}

interface Now {
  readonly door: Door;
  readonly all: () => readonly Frame[];
  readonly lineOf: (step: Step) => Line;
}

/** The parameters as they must be here and now. */
// eslint-disable-next-line typescript/no-explicit-any -- recorded frames are read by path
function current(step: Step, { door, all, lineOf }: Now): any {
  // eslint-disable-next-line typescript/no-explicit-any
  const params = step.params as any;
  if (step.method === "connect") return connectWith(params, { token: door.token, nonce: lineOf(step).nonce });
  if (params?.sessionId === undefined) return params;
  const known = all().findLast(({ payload }) => payload?.sessionKey === params.sessionKey && payload.sessionId);
  return { ...params, sessionId: known?.payload.sessionId };
}

// eslint-disable-next-line typescript/no-explicit-any
function connectWith({ device, ...params }: any, { token, nonce }: { token: string; nonce: string }): any {
  if (!device) return { ...params, auth: { token } };
  const { deviceId, publicKeyPem, privateKeyPem } = makeDevice();
  const { client, role, scopes, maxProtocol } = params;
  const signedAt = Date.now();
  const text = signedText(maxProtocol === 3 ? 2 : 3, {
    deviceId,
    clientId: client.id,
    clientMode: client.mode,
    role,
    scopes,
    signedAt,
    token,
    nonce,
    platform: client.platform,
    deviceFamily: client.deviceFamily ?? "",
  });
  const signature = sign(null, Buffer.from(text), createPrivateKey(privateKeyPem)).toString("base64url");
  const publicKey = rawPublicKey(publicKeyPem).toString("base64url");
  return { ...params, auth: { token }, device: { id: deviceId, publicKey, signature, signedAt, nonce } };
}
