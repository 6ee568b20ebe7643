import { test } from "uvu";
import * as assert from "uvu/assert";
import { readFragment, socketUrl, writeFragment } from "../../src/page/fragment.ts";

test("takes a secret out of the address, whatever else is there", () => {
  assert.equal(readFragment("#token=abc"), { secret: "abc", session: undefined });
  assert.equal(readFragment("#session=agent%3Amain%3Amain&token=a%2Bb"), { secret: "a+b", session: "agent:main:main" });
  assert.equal(readFragment("#password=p"), { secret: "p", session: undefined });
  for (const empty of ["", "#", "#token=", "#token=%20", "#other"]) assert.is(readFragment(empty).secret, undefined);
});

test("never writes a secret back", () => {
  const { session } = readFragment("#token=abc&session=agent:main:x y");
  assert.is(writeFragment({ session }), "#session=agent%3Amain%3Ax+y");
  assert.is(readFragment(writeFragment({ session })).session, "agent:main:x y");
  assert.is(writeFragment({ session: undefined }), "");
});

test("the gateway's socket is where the page is, encrypted when the page is", () => {
  assert.is(socketUrl({ href: "http://127.0.0.1:18789/#session=a" }), "ws://127.0.0.1:18789/");
  assert.is(socketUrl({ href: "https://claw.example/ui/?x=1" }), "wss://claw.example/ui/");
  assert.is(socketUrl({ href: "http://[::1]:18789/ui/index.html" }), "ws://[::1]:18789/ui/");
});

test.run();
