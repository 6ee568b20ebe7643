import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import type { Channel, ChannelKind } from "../../../src/channels/channel.ts";
import { Failure } from "../../../src/kit/error.ts";
import type { NetworkDouble } from "../../contract/channel.ts";
import { scriptedContext, type ScriptedContext } from "../channel-context.ts";
import { settle } from "../fake-clock.ts";

/** An account that is open at a double of its network. */
export interface Account<D extends NetworkDouble> {
  readonly double: D;
  readonly context: ScriptedContext;
  readonly channel: Channel;
}

/** Tests of one network, each with an account of its own that is closed in the end and was refused nothing. */
export function accountTests<D extends NetworkDouble>(
  kind: ChannelKind,
  network: () => D | Promise<D>,
): {
  readonly it: (does: string, prove: (given: Account<D>) => Promise<void>, settings?: object) => void;
  readonly open: (settings?: object) => Promise<Account<D>>;
} {
  async function open(settings: object = {}): Promise<Account<D>> {
    const double = await network();
    const context = scriptedContext(double.reached);
    double.started?.(context);
    const given = v.parse(kind.settings, { ...double.settings, ...settings });
    const channel = await kind.open(given, context.context);
    for (let turn = 0; turn < 5; turn++) await settle();
    return { double, context, channel };
  }
  return {
    open,
    it: (does, prove, settings) =>
      test(does, async () => {
        const given = await open(settings);
        try {
          await prove(given);
        } finally {
          await given.channel.close();
        }
        assert.equal(given.double.problems, []);
      }),
  };
}

/** What it rejects with; `code` is undefined when it does not. */
export async function failure(promise: Promise<unknown> | undefined): Promise<Partial<Failure>> {
  try {
    await promise;
    return {};
  } catch (error) {
    return error instanceof Failure ? error : {};
  }
}
