import { test } from "uvu";
import * as assert from "uvu/assert";
import type { DnsMessage } from "../../src/host/dns.ts";
import type { Net, NetInterface } from "../../src/host/host.ts";
import type { DnsPeer, MulticastSocket } from "../../src/host/multicast.ts";
import { empty } from "../support/scripted-wire.ts";
import { until } from "../support/gateway-process.ts";

/** What the multicast DNS group is, for the real one and the scripted one. `at` is an interface of this machine. */
export function multicastContract(name: string, net: Pick<Required<Net>, "multicast">, at: NetInterface): void {
  interface Member {
    readonly socket: MulticastSocket;
    readonly heard: { readonly message: DnsMessage; readonly from: DnsPeer }[];
  }
  const join = async (): Promise<Member> => {
    const heard: Member["heard"][number][] = [];
    const socket = await net.multicast(at, {
      message: (message, from) => void heard.push({ message, from }),
      failed: (error) => assert.unreachable(String(error)),
    });
    return { socket, heard };
  };
  /** Others may be talking on this machine: only what is asked for by this name is ours. */
  const asking = (about: string): DnsMessage => ({
    ...empty,
    questions: [{ name: about, type: "PTR", unicastResponse: false }],
  });
  const of = ({ heard }: Member, about: string) =>
    heard.filter(({ message }) => message.questions.some((question) => question.name === about));

  test(`${name}: what one member says all hear, itself included, with its address and port 5353`, async () => {
    const [one, other] = [await join(), await join()];
    one.socket.send(asking("_everybody._tcp.local"));
    for (const member of [one, other]) {
      await until("message", () => of(member, "_everybody._tcp.local").length > 0);
      assert.equal(of(member, "_everybody._tcp.local")[0]?.from, { address: at.address, port: 5353 });
    }
    await Promise.all([one.socket.close(), other.socket.close()]);
  });

  test(`${name}: a message arrives as it was sent`, async () => {
    const member = await join();
    const about = "St\\. Mary's \\\\ é._whole._tcp.local";
    const sent: DnsMessage = {
      ...empty,
      isResponse: true,
      authoritative: true,
      questions: [{ name: about, type: "ANY", unicastResponse: true }],
      answers: [
        {
          name: about,
          type: "SRV",
          ttl: 120,
          flush: true,
          data: { priority: 1, weight: 2, port: 65_535, target: "vm.local" },
        },
        { name: about, type: "TXT", ttl: 4500, flush: true, data: [Uint8Array.of(0, 255), new Uint8Array(0)] },
        { name: "_whole._tcp.local", type: "PTR", ttl: 2 ** 32 - 1, flush: false, data: about },
      ],
      additionals: [
        { name: "vm.local", type: "A", ttl: 120, flush: true, data: "192.0.2.1" },
        { name: "vm.local", type: "AAAA", ttl: 120, flush: true, data: "fd00::1:0:0:2" },
        { name: "vm.local", type: "NSEC", ttl: 120, flush: true, data: { next: "vm.local", types: ["A", "AAAA"] } },
        { name: "vm.local", type: "TYPE65280", ttl: 1, flush: false, data: Uint8Array.of(1, 2, 3) },
      ],
    };
    member.socket.send(sent);
    await until("message", () => of(member, about).length > 0);
    assert.equal(of(member, about)[0]?.message, sent);
    await member.socket.close();
  });

  test(`${name}: what is sent before closing leaves; nothing is heard or sent after`, async () => {
    const [one, other] = [await join(), await join()];
    one.socket.send(asking("_last._tcp.local"));
    await one.socket.close();
    one.socket.send(asking("_too-late._tcp.local"));
    await until("message", () => of(other, "_last._tcp.local").length > 0);
    const heard = one.heard.length;
    other.socket.send(asking("_afterwards._tcp.local"));
    await until("message", () => of(other, "_afterwards._tcp.local").length > 0);
    assert.is(one.heard.length, heard);
    assert.is(of(other, "_too-late._tcp.local").length, 0);
    await one.socket.close();
    await other.socket.close();
  });
}
