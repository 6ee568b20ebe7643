import type { BackgroundChild } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import type { ChannelContext } from "./channel.ts";
import { pause } from "./channel-connection.ts";
import { answerOf } from "./channel-request.ts";
import type { SignalSettings } from "./signal-settings.ts";

/** The signal-cli that serves us: somebody's, or our own, which ends with us. */
export interface SignalDaemon {
  readonly base: string;
  /** Resolves when it answers. */
  ready(): Promise<void>;
  close(): void;
}

const LOOK_MS = 500;

export function signalDaemon(
  context: ChannelContext,
  settings: SignalSettings & { readonly account: string },
): SignalDaemon {
  const { httpUrl, httpHost, httpPort, cliPath, startupTimeoutMs } = settings;
  const autoStart = settings.autoStart ?? httpUrl === undefined;
  const base = `${(httpUrl ?? `http://${httpHost}:${httpPort}`).replace(/\/+$/, "")}/`;
  let child: BackgroundChild | undefined;
  let ended: string | undefined;

  async function answers(): Promise<boolean> {
    const request = {
      label: "signal-cli",
      url: new URL("api/v1/check", base),
      signal: context.signal,
      timeoutMs: 5000,
    };
    const response = await answerOf(context, request).catch((error: unknown) => {
      if (context.signal.aborted) throw error;
      return undefined; // nobody is there, or somebody else
    });
    await response?.body?.cancel();
    return response !== undefined;
  }

  function start(): void {
    if (child) return;
    if (!context.processes)
      throw new Failure("config", "signal-cli cannot be started from here: start it yourself, and set httpUrl");
    // Without our number, which everybody on this machine could read in the list of processes: requests name it.
    const listen = ["daemon", "--http", `${httpHost}:${httpPort}`, "--no-receive-stdout"];
    const started = context.processes.start(cliPath, [
      ...listen,
      `--receive-mode=${settings.receiveMode}`,
      ...(settings.ignoreAttachments ? ["--ignore-attachments"] : []),
      ...(settings.ignoreStories ? ["--ignore-stories"] : []),
    ]);
    child = started;
    ended = undefined;
    void started.exited.then(({ code, signal }) => {
      if (child === started) child = undefined;
      const words = started.stderr
        .slice(-300)
        .replaceAll(settings.account, "(our number)")
        .replaceAll(/\s+/g, " ")
        .trim();
      ended = code === 127 ? "missing" : `it ended with ${signal ?? code}${words === "" ? "" : `: ${words}`}`;
    });
  }

  return {
    base,
    async ready() {
      if (await answers()) return;
      if (!autoStart) throw new Failure("unavailable", "signal-cli does not answer at httpUrl");
      start();
      const until = context.clock.monotonic() + startupTimeoutMs;
      while (!(await answers())) {
        if (ended === "missing")
          throw new Failure("config", `there is no program ${cliPath}: install signal-cli, or set cliPath`);
        if (ended !== undefined) throw new Failure("unavailable", `signal-cli does not run: ${ended}`);
        if (context.clock.monotonic() > until)
          throw new Failure("unavailable", `signal-cli does not answer within ${startupTimeoutMs / 1000} seconds`);
        await pause(context, LOOK_MS);
      }
    },
    close: () => child?.kill("SIGTERM"),
  };
}
